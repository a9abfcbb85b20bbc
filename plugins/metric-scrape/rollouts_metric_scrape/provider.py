"""`provider: {plugin: {scrape: ...}}`: what do the counters of these pages add up to?"""

from collections.abc import Iterator

from pydantic import ConfigDict, Field
from rollouts.api.base import Model
from rollouts.ports import Asked, Flow, MeasurementError, NoData, Provider, Reading, Request, Response

from rollouts_metric_scrape.exposition import Sample, is_name, samples

MOST_PAGES = 10
_ACCEPTED = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


class Series(Model):
    """Which samples count: those of a name, with these labels."""

    model_config = ConfigDict(extra="forbid")

    name: str
    labels: dict[str, str] = Field(default_factory=dict)

    def matches(self, sample: Sample) -> bool:
        return sample.name == self.name and self.labels.items() <= dict(sample.labels).items()


class Pages(Model):
    """Where the pages are, and what of them is summed up; `divided_by` makes a ratio of it."""

    model_config = ConfigDict(extra="forbid")

    addresses: tuple[str, ...]
    series: Series
    divided_by: Series | None = None
    timeout_seconds: float = 5


class Scrape(Provider[Pages]):
    """The sum of the samples that match, over all pages, as a float; or the ratio of two such sums."""

    key = "scrape"
    model = Pages

    def problems(self, spec: Pages) -> Iterator[tuple[str, str]]:
        if not 1 <= len(spec.addresses) <= MOST_PAGES:
            yield "addresses", f"has {len(spec.addresses)} of them: name 1 to {MOST_PAGES} pages"
        for index, address in enumerate(spec.addresses):
            if not address.startswith(("http://", "https://", "{{")):
                yield f"addresses[{index}]", f"{address!r} is no URL: write it as http://service:port/metrics"
        for path, series in (("series", spec.series), ("dividedBy", spec.divided_by)):
            if series is not None and "{{" not in series.name and not is_name(series.name):
                yield f"{path}.name", f"{series.name!r} is no name of a series: labels go into {path}.labels"
        if not 0 < spec.timeout_seconds <= 60:
            yield "timeoutSeconds", f"{spec.timeout_seconds:g} is out of range: more than 0, at most 60"

    def flow(self, spec: Pages, asked: Asked) -> Flow:
        del asked
        found: list[Sample] = []
        for address in spec.addresses:
            response = yield Request("GET", address, {"Accept": _ACCEPTED}, timeout=spec.timeout_seconds)
            found += _page(address, response)
        total = _sum(found, spec.series)
        if total is None:
            return NoData(f"there is no series {spec.series.name} with these labels")
        if spec.divided_by is None:
            return Reading(total, f"{total:g}")
        whole = _sum(found, spec.divided_by)
        if not whole:
            return NoData(f"{spec.divided_by.name} is nothing yet: there is no ratio to it")
        return Reading(total / whole, f"{total / whole:g}", {"sum": f"{total:g}", "of": f"{whole:g}"})


def _page(address: str, response: Response) -> list[Sample]:
    if response.status != 200:
        raise MeasurementError(f"{address} answers with status {response.status}: is that where the metrics are?")
    try:
        return list(samples(response.body.decode()))
    except UnicodeDecodeError:
        raise MeasurementError(f"{address} answers with something that is no text") from None
    except ValueError as error:
        raise MeasurementError(f"{address} is no page of metrics: {error}") from None


def _sum(found: list[Sample], series: Series) -> float | None:
    values = [each.value for each in found if series.matches(each)]
    return float(sum(values)) if values else None
