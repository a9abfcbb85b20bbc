"""What does Graphite say?

Its render API answers: https://graphite.readthedocs.io/en/stable/render_api.html
"""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from rollouts.api.providers import GraphiteMetric
from rollouts.measure.addresses import address_problems, given, joined
from rollouts.measure.answers import asked_for_json, at, list_at, list_text, numbers, unexpected
from rollouts.ports.provider import Asked, Flow, NoData, Provider, Reading, Request


class Graphite(Provider[GraphiteMetric]):
    """The values of a series, oldest first, without those that are missing; of the last hour unless it says `from`."""

    key = "graphite"
    model = GraphiteMetric
    connection = frozenset({"address"})

    def problems(self, spec: GraphiteMetric) -> Iterator[tuple[str, str]]:
        yield from address_problems("address", spec.address, default=True)
        if not spec.query:
            yield (
                "query",
                "query is missing: write a target, for example target=summarize(shop.errors, '5min')&from=-10min",
            )

    def metadata_of(self, spec: GraphiteMetric) -> Mapping[str, str]:
        return {"ResolvedGraphiteQuery": spec.query} if spec.query else {}

    def flow(self, spec: GraphiteMetric, asked: Asked) -> Flow:
        del asked
        request = Request("GET", joined(given(spec.address), "/render", _parameters(spec.query or "")), timeout=10.0)
        answer = yield from asked_for_json(request)
        if not isinstance(answer, list):
            raise unexpected(request, "no list of series")
        values = numbers(at(point, 0) for point in list_at(answer, 0, "datapoints"))
        if not values:
            because = "Graphite has no values for the query"
            return NoData(because, values, "[]", error=because)
        return Reading(values, list_text(values))


def _parameters(query: str) -> dict[str, str]:
    """Return the parameters of `target=...&from=-10min`; a target by itself will do, too."""
    line = " ".join(query.split())
    given = dict(parse_qsl(line)) if line.startswith(("target=", "from=", "until=")) else {"target": line}
    return {"from": "-1h", **given, "format": "json"}
