"""What do an application's own counters say? A metric provider that reads /metrics without a Prometheus server."""

from rollouts_metric_scrape.provider import Scrape

__all__ = ["Scrape"]
