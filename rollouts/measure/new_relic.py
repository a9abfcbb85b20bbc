"""What does New Relic say?

NerdGraph answers: https://docs.newrelic.com/docs/apis/nerdgraph/examples/nerdgraph-nrql-tutorial/
"""

from collections.abc import Iterator, Mapping

import orjson

from rollouts.api.providers import NewRelicMetric
from rollouts.measure.addresses import checked
from rollouts.measure.answers import asked_for_json, json_text, list_at
from rollouts.measure.graphql import refusals
from rollouts.measure.secrets import held_by
from rollouts.ports.provider import Asked, Flow, MeasurementError, NoData, Provider, Reading, Request, SecretRef

_REGIONS = {
    "us": "https://api.newrelic.com/graphql",
    "eu": "https://api.eu.newrelic.com/graphql",
    "staging": "https://staging-api.newrelic.com/graphql",
}
_QUERY = (
    "query($account: Int!, $nrql: Nrql!, $timeout: Seconds) "
    "{ actor { account(id: $account) { nrql(query: $nrql, timeout: $timeout) { results } } } }"
)
_DEFAULT_TIMEOUT = 5
_LONGEST_TIMEOUT = 120


class NewRelic(Provider[NewRelicMetric]):
    """The row of an NRQL query as a map, or its rows as a list of maps."""

    key = "newRelic"
    model = NewRelicMetric

    def problems(self, spec: NewRelicMetric) -> Iterator[tuple[str, str]]:
        if not spec.query:
            yield "query", "query is empty: write it in NRQL, for example SELECT average(duration) FROM Transaction"
        if spec.timeout is not None and not 0 <= spec.timeout <= _LONGEST_TIMEOUT:
            yield "timeout", f"{spec.timeout} is out of range: New Relic allows 1 to {_LONGEST_TIMEOUT} seconds"

    def secrets_of(self, spec: NewRelicMetric, namespace: str) -> tuple[SecretRef, ...]:
        del namespace
        return (_reference(spec),)

    def metadata_of(self, spec: NewRelicMetric) -> Mapping[str, str]:
        return {"ResolvedNewRelicQuery": spec.query}

    def flow(self, spec: NewRelicMetric, asked: Asked) -> Flow:
        request = _request(spec, held_by(asked, _reference(spec), "personal-api-key", "account-id"))
        answer = yield from asked_for_json(request)
        why = refusals(answer)
        if why:
            raise MeasurementError(f"New Relic says: {why}")
        rows = list_at(answer, "data", "actor", "account", "nrql", "results")
        if not rows or rows == [{}]:
            because = "New Relic returned no results for the query"
            return NoData(because, error=because)
        result = rows[0] if len(rows) == 1 else rows
        return Reading(result, json_text(result))


def _reference(spec: NewRelicMetric) -> SecretRef:
    return SecretRef(spec.profile or "newrelic")


def _request(spec: NewRelicMetric, held: Mapping[str, str]) -> Request:
    try:
        account = int(held["account-id"])
    except ValueError:
        raise MeasurementError(f"the Secret {_reference(spec).name} has an account-id that is no number") from None
    region = (held.get("region") or "us").lower()
    url = held.get("base-url-nerdgraph") or _REGIONS.get(region)
    if url is None:
        raise MeasurementError(f"the Secret {_reference(spec).name} has an unknown region: use us or eu")
    timeout = spec.timeout or _DEFAULT_TIMEOUT
    variables = {"account": account, "nrql": spec.query, "timeout": timeout}
    headers = {"API-Key": held["personal-api-key"], "Content-Type": "application/json"}
    # A little longer than New Relic itself waits, so that its own words about it arrive.
    body = orjson.dumps({"query": _QUERY, "variables": variables})
    return Request("POST", checked(url), headers, body, timeout=float(min(timeout, _LONGEST_TIMEOUT) + 2))
