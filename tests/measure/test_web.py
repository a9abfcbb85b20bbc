"""What does an HTTP service answer, and what becomes of it?"""

from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.providers import WebMetric
from rollouts.measure.web import Web
from rollouts.ports import MeasurementError, NoData, Reading
from rollouts.ports.testing import SECRET, ProviderConformance
from tests.measure.driving import Told, answered, problems

SPEC = {"url": "https://checks.example/shop/?a=b%20c"}


class TestConformance(ProviderConformance):
    provider = Web()
    specs = (
        parse(WebMetric, {**SPEC, "jsonPath": "{$.data[0].ok}"}),
        parse(WebMetric, SPEC),
        parse(WebMetric, {**SPEC, "method": "POST", "jsonBody": {"a": [1]}, "jsonPath": "{$.data[?(@.ok==1)].b}"}),
        parse(WebMetric, {**SPEC, "headers": [{"key": "Authorization", "value": f"Bearer {SECRET}"}]}),
    )
    answers = (b'{"data": [{"ok": 1, "b": "text"}]}',)


@pytest.mark.parametrize(
    ("path", "body", "result", "value"),
    [
        ("{$.ok}", {"ok": True}, True, "true"),
        ("{$.rate}", {"rate": 0.25}, 0.25, "0.25"),
        ("{$.count}", {"count": 10000000}, 10000000, "10000000"),
        ("{$.text}", {"text": "a<b"}, "a<b", '"a\\u003cb"'),
        ("{$.list}", {"list": [1, 2]}, [1, 2], "[1,2]"),
        ("{$.map}", {"map": {"b": 1, "a": None}}, {"a": None, "b": 1}, '{"a":null,"b":1}'),
        (None, {"ok": 1}, {"ok": 1}, '{"ok":1}'),
        (None, b"null", None, "null"),
        (None, b"all is well\n", "all is well\n", "all is well\n"),
        ("{$.ok}", b"all is well", "all is well", "all is well"),
        (None, b"", "", ""),
    ],
)
def test_a_result_keeps_its_type(path: str | None, body: Any, result: Any, value: str) -> None:
    spec = SPEC if path is None else {**SPEC, "jsonPath": path}
    assert Told(Web(), spec, [body]).outcome == Reading(result, value)


@pytest.mark.parametrize("path", ["{$.missing}", "{$.list[7]}", "{$.list[?(@.a==1)].a}"])
def test_a_path_to_nothing_is_no_data_and_by_default_an_error(path: str) -> None:
    outcome = Told(Web(), {**SPEC, "jsonPath": path}, [{"list": [{"a": 2}]}]).outcome
    assert isinstance(outcome, NoData)
    assert f"the answer of checks.example has nothing at {path}" in outcome.error


def test_the_url_is_sent_as_it_is() -> None:
    request = Told(Web(), SPEC, []).request
    assert (request.method, request.url, request.timeout) == ("GET", "https://checks.example/shop/?a=b%20c", 10)
    assert request.body is None


def test_a_json_body_says_what_it_is() -> None:
    request = Told(Web(), {**SPEC, "method": "PUT", "jsonBody": {"a": 1}}, []).request
    assert (request.body, request.headers) == (b'{"a":1}', {"Content-Type": "application/json"})
    headers = [{"key": "content-type", "value": "application/vnd.a+json"}]
    request = Told(Web(), {**SPEC, "method": "PUT", "jsonBody": {"a": 1}, "headers": headers}, []).request
    assert request.headers == {"content-type": "application/vnd.a+json"}


def test_a_text_is_sent_as_it_is() -> None:
    assert Told(Web(), {**SPEC, "method": "POST", "body": "ä"}, []).request.body == "ä".encode()


@pytest.mark.parametrize("status", [301, 404, 500])
def test_whatever_is_no_success_is_an_error(status: int) -> None:
    with pytest.raises(MeasurementError, match=rf"checks.example answered {status}: gone fishing"):
        Told(Web(), SPEC, [answered(b"gone\nfishing", status)])


def test_problems_name_the_field_and_the_way_out() -> None:
    found = problems(Web(), {"url": "ftp://x", "body": "a", "jsonBody": {}, "jsonPath": "{.a", "timeoutSeconds": -1})
    assert set(found) == {"url", "jsonBody", "method", "jsonPath", "timeoutSeconds"}
    assert problems(Web(), {**SPEC, "method": "DELETE"}) == {
        "method": "'DELETE' can't be used: choose GET, POST or PUT"
    }


def test_a_header_of_several_lines_is_not_sent() -> None:
    with pytest.raises(MeasurementError, match="'X-Key' can't be sent"):
        Told(Web(), {**SPEC, "headers": [{"key": "X-Key", "value": "a\r\nX-Other: b"}]}, [])


def test_an_answer_that_is_nested_too_deep_to_be_shown_is_an_error() -> None:
    with pytest.raises(MeasurementError, match=r"can't be shown: .*nest"):
        Told(Web(), SPEC, [b"[" * 500 + b"]" * 500])


@pytest.mark.parametrize(
    ("spec", "why"), [({"method": "DELETE"}, "choose GET"), ({"jsonPath": "{.a"}, "can't be used")]
)
def test_what_arguments_have_made_wrong_is_an_error(spec: dict[str, str], why: str) -> None:
    with pytest.raises(MeasurementError, match=why):
        Told(Web(), {**SPEC, **spec}, [{"a": 1}])
