"""What does a program say of itself to Prometheus?"""

import aiohttp
from prometheus_client.parser import text_string_to_metric_families


async def samples_of(url: str, metric: str) -> list[tuple[dict[str, str], float]]:
    """Read the samples of a metric: labels and value."""
    async with aiohttp.ClientSession(raise_for_status=True) as session, session.get(url) as answer:
        families = text_string_to_metric_families(await answer.text())
    return [(sample.labels, sample.value) for family in families for sample in family.samples if sample.name == metric]
