"""Is everything that a stranger's metric provider can do an error of its own measurement, and of no other?"""

import asyncio
import threading
from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from rollouts.api.base import parse
from rollouts.api.metrics import Metric
from rollouts.fetch import open_session
from rollouts.fetch.perform import Bench, perform
from rollouts.fetch.take import take
from rollouts.guard import Guard
from rollouts.plan.analysis.assess import assess
from rollouts.plan.analysis.due import Measure
from rollouts.plan.analysis.observed import Taken, observe_run
from rollouts.plan.analysis.run import plan_analysis
from rollouts.ports import Asked, Kit, NoData, Pending, Provider, Reading, Request, SecretRef, Verdict
from rollouts.ports.checked import LONGEST_TEXT
from tests.plan.analysis.given import metric, run
from tests.plan.given import after
from tests.plugins.strangers import ORIGIN, Anything, Measures, NoAnswer, fall, kit_with, leave, sleep, spin
from tests.serving import serving

STRANGER = metric("theirs", provider={"plugin": {"stranger": {}}})
LIMIT = 0.3


def yields(*things: Any, ends: Any = None) -> Callable[..., Generator[Any, Any, Any]]:
    """Return a flow that yields rubbish."""

    def flow(*_: object) -> Generator[Any, Any, Any]:
        yield from things
        return ends

    return flow


def does(deed: Callable[..., Any]) -> Callable[..., Generator[Any, Any, Any]]:
    """Return a flow that does something once it runs."""

    def flow(*_: object) -> Generator[Any, Any, Any]:
        deed()
        yield from ()

    return flow


def clings(*_: object) -> Generator[Any, Any, Any]:
    """Return a flow that won't be closed when it is asked to; in the end the garbage collector insists."""
    for _turn in range(2):
        try:
            yield 5
        except GeneratorExit:
            continue


HUGE = "x" * 10_000_000
FLOWS: dict[str, Callable[..., Any]] = {
    "raises": does(fall),
    "raises before it begins": fall,
    "leaves the process": does(leave),
    "is no generator": lambda *_: 5,
    "is None": lambda *_: None,
    "returns nothing": yields(),
    "returns something else": yields(ends=NoAnswer()),
    "returns a class": yields(ends=Reading),
    "returns no text": yields(ends=Reading(1, 1)),  # type: ignore[arg-type]
    "returns no notes": yields(ends=Reading(1, "1", ["a"])),  # type: ignore[arg-type]
    "returns huge notes": yields(ends=Reading(1, "1", {str(n): HUGE for n in range(20)})),
    "returns many notes": yields(ends=Reading(1, "1", {str(n): "x" for n in range(1_000_000)})),
    "returns a phase that is none": yields(ends=Verdict("Great")),
    "returns a pause that is none": yields(ends=Pending(7)),  # type: ignore[arg-type]
    "returns a pause without end": yields(ends=Pending(timedelta.max)),
    "returns no data that is none": yields(ends=NoData(5)),  # type: ignore[arg-type]
    "yields a number": yields(5),
    "yields None": yields(None),
    "yields no URL": yields(Request("GET", "not a url")),
    "yields a file": yields(Request("GET", "file:///etc/passwd")),
    "yields no method": yields(Request("EAT", "http://127.0.0.1/")),
    "yields no headers": yields(Request("GET", "http://127.0.0.1/", 5)),  # type: ignore[arg-type]
    "yields a header of bytes": yields(Request("GET", "http://127.0.0.1/", {"a": b"b"})),  # type: ignore[dict-item]
    "yields a body of text": yields(Request("POST", "http://127.0.0.1/", body="x")),  # type: ignore[arg-type]
    "yields an endless timeout": yields(Request("GET", "http://127.0.0.1/", timeout=1e12)),
    "yields a timeout that is none": yields(Request("GET", "http://127.0.0.1/", timeout="1")),  # type: ignore[arg-type]
    "can't be closed": clings,
}


def measure_of(raw: dict[str, Any], kit: Kit) -> Measure:
    (measure,) = plan_analysis(observe_run(raw), after(0), kit).measure
    return measure


async def taken(plugin: Provider[Any], guard: Guard | None = None) -> Taken:
    kit = kit_with(plugin)
    async with open_session() as session:
        bench = Bench(kit, "shop", session, _no_secret, dict, lambda: after(2), guard=guard or Guard(LIMIT))
        return await perform(measure_of(run(STRANGER), kit), bench)


async def _no_secret(reference: SecretRef) -> None:
    del reference


@pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)
async def test_a_flow_that_keeps_no_promise_is_an_error_that_names_its_plugin(flow: Callable[..., Any]) -> None:
    found = await taken(Measures(flow=flow))
    assert found.outcome is None
    assert "stranger" in found.error or "requests" in found.error
    assert "marker-of-a-secret" not in found.error
    assert len(found.error) < 5000
    assert "\n" not in found.error


async def test_the_error_says_where_the_plugin_is_from() -> None:
    found = await taken(Measures(flow=does(fall)))
    assert found.error.startswith(f"the metric provider 'stranger' (of {ORIGIN}) is broken: flow raised ValueError")


async def test_a_long_text_is_cut() -> None:
    found = await taken(Measures(flow=yields(ends=Reading(1, HUGE))))
    assert isinstance(found.outcome, Reading)
    assert len(found.outcome.value) < 40_000
    assert len(assess(parse(Metric, STRANGER), found).value or "") < 5000


async def test_no_secret_is_cut_in_two_before_it_is_masked() -> None:
    def tells(asked: Asked) -> Generator[Any, Any, Any]:
        yield from ()
        return Reading(1, "x" * (LONGEST_TEXT - 10) + asked.settings["API_TOKEN"])

    secret = {"API_TOKEN": "a-secret-of-some-length"}
    plugin = kit_with(Measures(flow=tells)).providers["stranger"]
    async with open_session() as session:
        outcome = await take(plugin, Anything(), Asked(after(0), "shop", {}, secret), session)
    assert isinstance(outcome, Reading)
    assert "a-secret" not in outcome.value
    assert outcome.value.endswith("*****")


async def test_a_long_header_is_sent_whole() -> None:
    token = {"Authorization": f"Bearer {'t' * 6_000}"}

    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=str(dict(request.headers) | token == dict(request.headers)))

    def asks(_: Asked) -> Generator[Any, Any, Any]:
        response = yield Request("GET", url, token)
        return Reading(1, response.body.decode())

    async with serving(answer) as url:
        found = await taken(Measures(flow=asks))
    assert found.outcome == Reading(1, "True")


@pytest.mark.parametrize("deed", [spin, sleep])
async def test_one_that_hangs_is_given_up_while_others_are_served(deed: Callable[..., Any]) -> None:
    """Spinning and sleeping: the event loop goes on meanwhile."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    beside = asyncio.create_task(others())
    try:
        found = await taken(Measures(flow=does(deed)))
    finally:
        beside.cancel()
    assert found.error == f"the plugin 'stranger' didn't return within {LIMIT} seconds"
    assert turns >= 5


async def test_one_that_hangs_is_not_called_again_while_it_hangs() -> None:
    guard, calls = Guard(LIMIT), []

    def hang(*_: object) -> Any:
        calls.append(1)
        sleep()

    for _ in range(3):
        error = (await taken(Measures(flow=does(hang)), guard)).error
    assert len(calls) == 1
    assert "still hangs in an earlier call" in error


async def test_one_that_hangs_again_and_again_is_broken_until_a_restart() -> None:
    guard, threads = Guard(LIMIT, most_hangs=2), []

    def hang(*_: object) -> Any:
        threads.append(threading.current_thread())
        spin()

    for _ in range(2):
        error = (await taken(Measures(flow=does(hang)), guard)).error
        await asyncio.to_thread(threads[-1].join, 10)  # it has been interrupted
        assert "didn't return" in error
    assert "has hung 2 times: not called again" in (await taken(Measures(), guard)).error


async def test_another_plugin_is_called_all_the_same() -> None:
    guard = Guard(LIMIT)
    assert "didn't return" in (await taken(Measures(flow=does(sleep)), guard)).error
    assert await guard.run(frozenset(("another",)), lambda: 7) == 7


@pytest.mark.parametrize("problems", [fall, leave, lambda _: [5], lambda _: [("", 5)], lambda _: 7])
def test_problems_that_cannot_be_told_are_a_problem(problems: Callable[..., Any]) -> None:
    plan = plan_analysis(observe_run(run(STRANGER)), after(0), kit_with(Measures(problems=problems)))
    assert plan.measure == ()
    assert "the metric provider 'stranger'" in str(plan.problem)


@pytest.mark.parametrize("noted", [fall, leave, lambda _: 5, lambda _: {"a": 5}, lambda _: {"a": HUGE}])
def test_notes_that_cannot_be_told_are_left_out(noted: Callable[..., Any]) -> None:
    plan = plan_analysis(observe_run(run(STRANGER)), after(0), kit_with(Measures(metadata_of=noted)))
    assert plan.measure
    assert len(repr(plan.status)) < 10_000


async def test_what_it_was_given_is_its_own() -> None:
    """Whatever it does to its arguments, the next one gets them as they were."""
    kept: list[Any] = []

    def flow(asked: Any) -> Any:
        kept.append((dict(asked.settings), dict(asked.metadata)))
        asked.settings["A"] = "changed"
        asked.metadata["b"] = "changed"
        return yields(ends=Reading(1, "1"))()

    plugin = Measures(flow=flow)
    for _ in range(2):
        found = await taken(plugin)
        assert found.outcome == Reading(1, "1")
    assert kept[0] == kept[1]


async def test_an_answer_of_a_server_reaches_it() -> None:
    from aiohttp import web

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="41")

    def flow(*_: object) -> Any:
        response = yield Request("GET", url)
        return Reading(int(response.body) + 1, "42")

    async with serving(answer) as url:
        assert (await taken(Measures(flow=flow))).outcome == Reading(42, "42")
