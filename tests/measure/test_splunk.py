"""What does Splunk Observability Cloud stream? Shapes: dev.splunk.com/observability/docs/signalflow/messages/"""

import pytest

from rollouts.api.base import parse
from rollouts.api.providers import SplunkMetric
from rollouts.expr import Floats
from rollouts.measure.splunk import Splunk
from rollouts.ports import MeasurementError, NoData, Reading, SecretRef
from rollouts.ports.testing import SECRET, ProviderConformance
from tests.measure.driving import Told, answered, problems

SPEC = {
    "address": "https://stream.us1.signalfx.com",
    "query": "data('requests.errors').mean().publish()",
    "secretRef": {"name": "splunk"},
}
HELD = {SecretRef("splunk", "shop"): {"sf_token_key": "token"}}
STREAM = b"""\
event: control-message
data: {
data:   "event": "STREAM_START",
data:   "timestampMs": 1772366400000
data: }

event: metadata
data: {"tsId": "AAAA", "properties": {"sf_metric": "requests.errors"}}

id: data-1
event: data
data: {"data": [{"tsId": "AAAA", "value": 0.5}, {"tsId": "BBBB", "value": 3}], "logicalTimestampMs": 1772366340000}

event: data
data: {"data": [{"tsId": "AAAA", "value": 0.25}, {"tsId": "BBBB", "value": null}], "logicalTimestampMs": 1772366400000}

event: control-message
data: {"event": "END_OF_CHANNEL", "timestampMs": 1772366400001}

"""


class TestConformance(ProviderConformance):
    provider = Splunk()
    specs = (parse(SplunkMetric, SPEC),)
    answers = (STREAM,)
    secrets = {"sf_token_key": SECRET}  # noqa: RUF012 - as the superclass has it


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_the_latest_value_of_each_series_counts(line_end: bytes) -> None:
    told = Told(Splunk(), SPEC, [answered(STREAM.replace(b"\n", line_end))], secrets=HELD)
    assert told.outcome == Reading(Floats([0.25, 3.0]), "[0.25,3]")
    assert told.request.url == (
        "https://stream.us1.signalfx.com/v2/signalflow/execute?start=1772366100000&stop=1772366400000&immediate=true"
    )
    assert told.request.body == SPEC["query"].encode()  # type: ignore[attr-defined] # it is a text
    assert told.request.headers["X-SF-Token"] == "token"


@pytest.mark.parametrize("body", [b"", STREAM[:100], STREAM[: STREAM.index(b"id: data-1")]])
def test_a_stream_without_values_is_no_data(body: bytes) -> None:
    outcome = Told(Splunk(), SPEC, [answered(body)], secrets=HELD).outcome
    assert outcome == NoData("Splunk has no values for the program", Floats(), "[]")


def test_a_program_that_fails_is_told() -> None:
    body = b'event: error\ndata: {"error": 400, "message": "Unknown function \'dat\'"}\n\n'
    with pytest.raises(MeasurementError, match=r"stream\.us1\.signalfx\.com says: Unknown function 'dat'"):
        Told(Splunk(), SPEC, [answered(body)], secrets=HELD)


def test_problems_name_the_field() -> None:
    spec = {**SPEC, "address": "stream", "query": "", "interval": "x"}
    assert set(problems(Splunk(), spec)) == {"address", "query", "interval"}
