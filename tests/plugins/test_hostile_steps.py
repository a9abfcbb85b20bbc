"""Does a stranger's step that keeps no promise stop its own Rollout only, and say so there?"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from rollouts.fetch import open_session
from rollouts.fetch.call import perform_call
from rollouts.fetch.perform import Bench
from rollouts.guard import Guard
from rollouts.plan.calls import Call
from rollouts.plan.strangers import strangers_of
from rollouts.ports import Answer, Kit, Open, Request, Shut, Situation, Step, Wishes
from rollouts.ports.provider import SecretRef
from rollouts.ports.step import Scale
from tests.calling import plugin
from tests.plan.decided import given, planned
from tests.plan.given import after, replica_set, rollout, updating
from tests.plugins.strangers import ORIGIN, Asks, Stands, fall, kit_with, leave, sleep, spin
from tests.plugins.test_hostile_providers import HUGE, LIMIT, does, yields
from tests.serving import serving

NAIVE = datetime(2026, 1, 2)  # noqa: DTZ001 - that it has no zone is what is wrong with it
STEPS = [plugin("stranger", a=1), {"setWeight": 60}]
HERE = given(updating(rollout("app:2", steps=STEPS)), replica_set("app:1", 4), replica_set("app:2", 1, revision=2))

GATES: dict[str, Callable[..., Any]] = {
    "raises": fall,
    "leaves the process": leave,
    "returns None": lambda *_: None,
    "returns a class": lambda *_: Open,
    "gives no reason": lambda *_: Open(5),  # type: ignore[arg-type]
    "asks for a time over": lambda *_: Shut("soon", until=after(0)),
    "asks for this very moment": lambda *_: Shut("soon", until=after(100)),
    "asks for a time without a zone": lambda *_: Shut("soon", until=NAIVE),
    "asks for a text": lambda *_: Shut("soon", until="tomorrow"),  # type: ignore[arg-type]
    "pauses perhaps": lambda *_: Shut("soon", pauses="perhaps"),  # type: ignore[arg-type]
}
HOLDS: dict[str, Callable[..., Any]] = {
    "raises": fall,
    "returns a number": lambda *_: 50,
    "wishes for less than nothing": lambda *_: Wishes(-5),
    "wishes for a text": lambda *_: Wishes("50"),  # type: ignore[arg-type]
    "wishes for a fraction": lambda *_: Wishes(5.5),  # type: ignore[arg-type]
    "wishes for a scale that is none": lambda *_: Wishes(5, 7),  # type: ignore[arg-type]
    "wishes for a negative size": lambda *_: Wishes(5, Scale(replicas=-1)),
}
PROBLEMS: dict[str, Callable[..., Any]] = {
    "raises": fall,
    "leaves the process": leave,
    "yields numbers": lambda _: [1, 2],
    "is no iterator": lambda _: 7,
    "never ends": lambda _: iter(lambda: ("", "again"), None),
}


@pytest.mark.parametrize(
    "step",
    [
        *(pytest.param(Stands(gate=deed), id=f"gate {name}") for name, deed in GATES.items()),
        *(pytest.param(Stands(hold=deed), id=f"hold {name}") for name, deed in HOLDS.items()),
        *(pytest.param(Stands(problems=deed), id=f"problems {name}") for name, deed in PROBLEMS.items()),
    ],
)
def test_a_step_that_keeps_no_promise_makes_its_rollout_invalid_and_touches_nothing(step: Stands) -> None:
    plan = planned(HERE, 100, kit_with(step))
    assert plan.actions == ()
    assert plan.problem is not None
    assert "again" in plan.problem or f"the step plugin 'stranger' (of {ORIGIN}) is broken" in plan.problem
    assert "marker-of-a-secret" not in plan.problem
    assert plan.wake_at is not None
    assert plan.wake_at > after(100)


def test_other_rollouts_are_planned_with_the_same_kit() -> None:
    other = given(updating(), replica_set("app:1", 4), replica_set("app:2", 1, revision=2))
    assert planned(other, 100, kit_with(Stands(gate=fall))).problem is None


def test_what_a_step_does_to_its_spec_is_forgotten() -> None:
    seen: list[Any] = []

    def gate(spec: dict[str, Any], *_: object) -> Any:
        seen.append(dict(spec))
        spec["a"] = 2
        spec.clear()
        return Shut("not yet")

    kit = kit_with(Stands(gate=gate))
    for _ in range(2):
        planned(HERE, 100, kit)
    assert seen == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize("deed", [spin, sleep])
async def test_a_plan_that_hangs_is_given_up(deed: Callable[..., Any]) -> None:
    kit = kit_with(Stands(gate=deed))
    strangers = strangers_of(HERE, kit)
    assert strangers == {"stranger"}
    run = Guard(LIMIT).runner(strangers)
    with pytest.raises(Exception, match="the plugin 'stranger' didn't return within"):
        await run(lambda: planned(HERE, 100, kit))


def test_only_rollouts_that_use_it_have_a_stranger_in_their_plans() -> None:
    assert strangers_of(given(updating()), kit_with(Stands())) == frozenset()
    assert strangers_of(HERE, Kit(steps={})) == frozenset()


CALL = Call("stranger", "Run", 0, 1, after(90), {"a": 1}, {"seen": 1})
RUNS: dict[str, Callable[..., Any]] = {
    "raises": does(fall),
    "leaves the process": does(leave),
    "spins": does(spin),
    "sleeps": does(sleep),
    "is no generator": lambda *_: Answer("Successful"),
    "returns None": yields(),
    "returns a text": yields(ends="Successful"),
    "returns a phase that is none": yields(ends=Answer("Great")),  # type: ignore[arg-type]
    "returns no message": yields(ends=Answer("Running", 5)),  # type: ignore[arg-type]
    "returns a pause that is none": yields(ends=Answer("Running", again_after=5)),  # type: ignore[arg-type]
    "returns a status that is no JSON": yields(ends=Answer("Running", status={"a": object()})),
    "returns a status that is a list": yields(ends=Answer("Running", status=[1])),  # type: ignore[arg-type]
    "returns a status without end": yields(ends=Answer("Running", status={"a": HUGE})),
    "returns a status that is no number": yields(ends=Answer("Running", status={"a": float("nan")})),
    "yields rubbish": yields(7),
    "asks for ever": lambda *_: iter_requests(),
}


def iter_requests() -> Any:
    while True:
        yield Request("GET", "http://127.0.0.1:9/")


async def called(
    step: Step[Any], call: Call = CALL, secrets: Mapping[str, str] | None = None, kit: Kit | None = None
) -> Answer:
    async def read(reference: SecretRef) -> Mapping[str, str] | None:
        del reference
        return secrets

    async with open_session() as session:
        bench = Bench(kit or kit_with(step), "shop", session, read, dict, lambda: after(100), guard=Guard(LIMIT))
        returned = await perform_call(call, HERE.raw, bench)
    assert returned.call is call
    assert returned.finished_at == after(100)
    return returned.answer


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
async def test_a_call_that_keeps_no_promise_is_an_error_that_names_its_plugin(run: Callable[..., Any]) -> None:
    answer = await called(Asks(run))
    assert answer.phase == "Error"
    assert answer.status is None
    assert "stranger" in answer.message or "requests" in answer.message or "127.0.0.1:9" in answer.message
    assert "marker-of-a-secret" not in answer.message


async def test_a_call_gets_what_it_noted_and_a_copy_of_its_rollout() -> None:
    def run(spec: Any, here: Situation) -> Any:
        assert (spec, here.index, here.status) == ({"a": 1}, 0, {"seen": 1})
        here.rollout["metadata"]["name"] = "changed"
        spec["a"] = here.status["seen"] = 9  # type: ignore[index]
        response = yield Request("GET", url)
        return Answer("Running", response.body.decode(), timedelta(seconds=9), {"seen": (2, None)})

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="two more must approve")

    async with serving(answer) as url:
        found = await called(Asks(run))
    assert found == Answer("Running", "two more must approve", timedelta(seconds=9), {"seen": [2, None]})
    assert HERE.name == "web"
    assert (CALL.config, CALL.state) == ({"a": 1}, {"seen": 1})


async def test_no_secret_is_shown() -> None:
    class Leaks(Asks):
        def secrets_of(self, spec: Any, namespace: str) -> tuple[SecretRef, ...]:
            del spec
            return (SecretRef("creds", namespace),)

    def run(_: Any, here: Situation) -> Any:
        yield from ()
        (held,) = here.secrets.values()
        assert held is not None
        return Answer("Failed", f"token {held['token']}", status={held["token"]: [json.dumps(dict(held))]})

    found = await called(Leaks(run), secrets={"token": "marker-of-a-secret"})
    assert found.phase == "Failed"
    assert "marker-of-a-secret" not in repr(found)


async def test_a_plugin_that_is_gone_is_an_error() -> None:
    found = await called(Stands(), replace(CALL, plugin="gone"))
    assert found.phase == "Error"
    assert 'no step plugin "gone" is installed' in found.message


async def test_a_step_that_is_not_called_is_an_error() -> None:
    assert "isn't one that is called" in (await called(Stands())).message
