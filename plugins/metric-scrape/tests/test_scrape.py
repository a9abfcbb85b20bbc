"""What does the provider make of pages? In the terms of the public API only: no server, no clock."""

from datetime import UTC, datetime
from typing import Any

import pytest
from rollouts.ports import Asked, MeasurementError, NoData, Reading, Response
from rollouts.ports.testing import ProviderConformance

from rollouts_metric_scrape import Scrape
from rollouts_metric_scrape.exposition import Sample, samples
from rollouts_metric_scrape.provider import Pages

PAGE = b"""# HELP http_requests_total Requests.
# TYPE http_requests_total counter
http_requests_total{code="200",path="/a\\"b"} 90
http_requests_total{code="500",path="/"} 10 1700000000000
http_requests_total{code="500",path="/x"} 0.5
up 1
# EOF
"""


def pages(*addresses: str, **config: Any) -> Pages:
    """Read a configuration as it stands in a manifest."""
    urls = list(addresses or ("http://web:9090/metrics",))
    return Pages.model_validate({"addresses": urls, "series": {"name": "http_requests_total"}, **config})


FAILED = {"name": "http_requests_total", "labels": {"code": "500"}}
RATIO = pages(series=FAILED, dividedBy={"name": "http_requests_total"})


class TestScrape(ProviderConformance):
    provider = Scrape()
    specs = (RATIO, pages(), pages("http://a/metrics", "http://b/metrics"))
    answers = (PAGE,)


def measured(spec: Pages, *responses: Response) -> Any:
    flow = Scrape().flow(spec, Asked(datetime(2026, 1, 1, tzinfo=UTC)))
    next(flow)
    for response in responses:
        try:
            flow.send(response)
        except StopIteration as end:
            return end.value
    raise AssertionError("the flow asks for more")


def test_samples_that_match_are_summed_up() -> None:
    assert measured(pages(series=FAILED), Response(200, {}, PAGE)) == Reading(10.5, "10.5")


def test_several_pages_count_together() -> None:
    spec = pages("http://a/metrics", "http://b/metrics", series=FAILED)
    assert measured(spec, Response(200, {}, PAGE), Response(200, {}, PAGE)) == Reading(21.0, "21")


def test_a_ratio_tells_its_parts() -> None:
    reading = measured(RATIO, Response(200, {}, PAGE))
    assert reading == Reading(10.5 / 100.5, "0.104478", {"sum": "10.5", "of": "100.5"})


@pytest.mark.parametrize(
    "spec", [pages(series={"name": "nothing"}), pages(series=FAILED, dividedBy={"name": "nothing"})]
)
def test_what_is_not_there_is_no_data(spec: Pages) -> None:
    assert isinstance(measured(spec, Response(200, {}, PAGE)), NoData)


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (404, b"", "answers with status 404"),
        (200, b"<html>", "is no page of metrics: line 1 is no sample"),
        (200, b"up\nup{", "line 1 has no number"),
        (200, b'up{a="b" 1', "line 1 has labels that don't end"),
        (200, b"\xff\xfe", "something that is no text"),
    ],
)
def test_anything_else_is_an_error_that_names_the_page(status: int, body: bytes, says: str) -> None:
    with pytest.raises(MeasurementError, match="http://web:9090/metrics") as error:
        measured(pages(), Response(status, {}, body))
    assert says in str(error.value)


def test_lines_are_read_as_the_formats_say() -> None:
    text = 'a:b{x="1\\n2",y="\\\\"} +Inf\nc 1e3 # {trace="7"} 0.5 12\nd{} NaN'
    first, second, third = samples(text)
    assert first == Sample("a:b", float("inf"), {"x": "1\n2", "y": "\\"})
    assert second == Sample("c", 1000.0)
    assert third.value != third.value


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        (Pages.model_validate({"addresses": [], "series": {"name": "a"}}), "addresses"),
        (pages("web:9090"), "addresses[0]"),
        (pages(series={"name": 'a{b="c"}'}), "series.name"),
        (pages(dividedBy={"name": "a b"}), "dividedBy.name"),
        (pages(timeoutSeconds=0), "timeoutSeconds"),
    ],
)
def test_each_problem_has_its_path(spec: Pages, path: str) -> None:
    assert [each for each, _ in Scrape().problems(spec)] == [path]


def test_arguments_are_not_known_yet() -> None:
    spec = pages("{{args.address}}", series={"name": "{{args.series}}"})
    assert list(Scrape().problems(spec)) == []
