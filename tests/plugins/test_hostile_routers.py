"""Does a stranger's traffic router that keeps no promise stop its own Rollout only, and say so there?"""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rollouts.api.selectors import parse_selector
from rollouts.guard import Guard
from rollouts.plan import plan_rollout
from rollouts.plan.actions import CreateObject, UpdateReplicaSet
from rollouts.plan.observed import Observed
from rollouts.plan.strangers import stranger_routers, strangers_of
from rollouts.plan.traffic import bound_reads
from rollouts.ports import (
    Asked,
    Create,
    Delete,
    Found,
    Objects,
    Owner,
    Patch,
    Reference,
    Route,
    Seen,
    Selected,
    Write,
)
from rollouts.ports.checked import PluginError
from rollouts.ports.objects import ObjectKind
from rollouts.ports.testing import RouterConformance
from tests.plan.decided import given, planned
from tests.plan.given import after, replica_set, rollout, updating
from tests.plan.routed import seen
from tests.plugins.strangers import (
    ASKS,
    ORIGIN,
    PAGE,
    Anything,
    Questions,
    Routes,
    Stays,
    fall,
    kit_with,
    leave,
    sleep,
    spin,
)
from tests.plugins.test_hostile_providers import LIMIT

ROUTING: dict[str, Any] = {"plugins": {"stranger": {}}}
NAMES = {"canaryService": "c", "stableService": "s"}
RAW = updating(rollout("app:2", steps=[{"setWeight": 20}, {"pause": {}}], canary={"trafficRouting": ROUTING, **NAMES}))
THEIRS = {"name": "web", "uid": "another", "kind": "Rollout"}
numbers = itertools.count()


def seen_with(page: dict[str, Any] | None = None) -> Observed:
    """Return a canary at work, whose router reads one page."""
    return seen(RAW, replica_set("app:1", 5), replica_set("app:2", 1, revision=2), objects={PAGE: page})


LIVE = {"metadata": {"name": "web", "uid": "u", "resourceVersion": "7"}, "spec": {"weight": 77}}


def says(*writes: Any) -> Callable[..., Any]:
    return lambda *_: writes


def always(_: Anything, __: Owner, ___: Route, objects: Objects) -> tuple[Write, ...]:
    body = {"spec": {"weight": next(numbers)}}
    return (Patch(PAGE, body) if objects[PAGE] is not None else Create(PAGE, body),)


def meddles(spec: Anything, owner: Owner, route: Route, objects: Any) -> tuple[Write, ...]:
    objects[PAGE]["spec"]["weight"] = route.canary.weight
    return Routes().write(spec, owner, route, objects)


def place(kind: str, group: str = "", namespace: str = "default") -> Reference:
    return Reference(group, kind, namespace, "web")


READS: dict[str, Callable[..., Any]] = {
    "raises": fall,
    "leaves the process": leave,
    "returns None": lambda *_: None,
    "returns a list": lambda *_: [PAGE],
    "returns texts": lambda *_: ("web",),
    "returns nothing": lambda *_: (),
    "never ends": lambda *_: (PAGE,) * 101,
    "reads without a name": lambda *_: (replace(PAGE, name=""),),
    "reads a number": lambda *_: (replace(PAGE, name=5),),  # type: ignore[arg-type]
    "selects by a text": lambda *_: (Selected("test.example.com", "Page", "default", "app=web"),),  # type: ignore[arg-type]
    "reads Secrets": lambda *_: (place("Secret"),),
    "selects Secrets": lambda *_: (Selected("", "Secret", "default", parse_selector("")),),
    "reads Pods": lambda *_: (place("Pod"),),
    "reads what gives rights": lambda *_: (place("RoleBinding", "rbac.authorization.k8s.io"),),
    "reads Rollouts": lambda *_: (place("Rollout", "argoproj.io"),),
    "reads in other namespaces": lambda *_: (replace(PAGE, namespace="kube-system"),),
}
WRITES: dict[str, Callable[..., Any]] = {
    "raises": fall,
    "returns None": lambda *_: None,
    "returns texts": says("weight 20"),
    "writes what it doesn't read": says(Patch(place("Page", "other.example.com"), {"spec": {}})),
    "creates what it doesn't read": says(Create(replace(PAGE, name="other"), {"spec": {}})),
    "creates what is there": says(Create(PAGE, {"spec": {}})),
    "writes Secrets": says(Patch(place("Secret"), {"data": {}})),
    "gives itself rights": says(Create(place("RoleBinding", "rbac.authorization.k8s.io"), {})),
    "writes in other namespaces": says(Create(replace(PAGE, namespace="kube-system"), {})),
    "writes twice": says(Patch(PAGE, {"spec": {"weight": 1}}), Patch(PAGE, {"spec": {"weight": 2}})),
    "deletes what is others'": says(Delete(PAGE)),
    "writes no object": says(Patch(PAGE, [1])),  # type: ignore[arg-type]
    "writes no JSON": says(Patch(PAGE, {"spec": object()})),
    "writes no number": says(Patch(PAGE, {"spec": float("nan")})),
    "writes without end": says(Patch(PAGE, {"spec": "x" * 600_000})),
    "writes a circle": lambda *_: (Patch(PAGE, circle()),),
    "holds up its deletion": says(Patch(PAGE, {"metadata": {"finalizers": ["stranger/forever"]}})),
    "gives it away": says(Patch(PAGE, {"metadata": {"ownerReferences": [THEIRS]}})),
    "writes another version each time": always,
}
OTHERS: dict[str, Routes] = {
    "problems raises": Routes(problems=fall),
    "problems yields numbers": Routes(problems=lambda *_: [1]),
    "problems never ends": Routes(problems=lambda *_: iter(lambda: ("", "again"), None)),
    "needs_services says perhaps": Routes(needs_services=lambda *_: "perhaps"),
    "seen raises": Routes(seen=fall),
    "seen returns None": Routes(seen=lambda *_: None),
    "seen says perhaps": Routes(seen=lambda *_: Seen("perhaps")),  # type: ignore[arg-type]
    "seen gives no reason": Routes(seen=lambda *_: Seen(verified=False)),
    "seen gives a number": Routes(seen=lambda *_: Seen(because=5)),  # type: ignore[arg-type]
}


QUESTIONS: dict[str, Callable[..., Any]] = {
    "raises": fall,
    "returns texts": lambda *_: ("web?",),
    "never ends": lambda *_: (ASKS,) * 21,
    "about nothing": lambda *_: (replace(ASKS, about=None),),  # type: ignore[arg-type]
    "that can't be known again": lambda *_: (replace(ASKS, facts=([],)),),
    "that differ each time": lambda *_: (replace(ASKS, facts=(next(numbers),)),),
}


def circle() -> dict[str, Any]:
    """Return an object that holds itself."""
    body: dict[str, Any] = {}
    body["spec"] = body
    return body


@pytest.mark.parametrize(
    "router",
    [
        *(pytest.param(Routes(reads=deed), id=f"reads {name}") for name, deed in READS.items()),
        *(pytest.param(Routes(write=deed), id=f"write {name}") for name, deed in WRITES.items()),
        *(pytest.param(router, id=name) for name, router in OTHERS.items()),
    ],
)
def test_a_router_that_keeps_no_promise_makes_its_rollout_invalid_and_touches_nothing(router: Routes) -> None:
    plan = planned(seen_with(LIVE), 100, kit_with(router))
    assert plan.actions == ()
    assert plan.problem is not None
    assert "again" in plan.problem or f"the traffic router 'stranger' (of {ORIGIN}) is broken" in plan.problem
    assert "marker-of-a-secret" not in plan.problem
    assert plan.wake_at is not None
    assert plan.wake_at > after(100)
    condition = next(each for each in (plan.status or {})["conditions"] if each["type"] == "InvalidSpec")
    assert condition["message"] == plan.problem


@pytest.mark.parametrize("deed", QUESTIONS.values(), ids=QUESTIONS)
def test_a_router_that_asks_wrongly_makes_its_rollout_invalid(deed: Callable[..., Any]) -> None:
    routed = replace(seen_with({**LIVE, "spec": {"weight": 0}}), answers={})
    assert [each.about for each in planned(routed, 100, kit_with(Questions())).asks] == [ASKS.about]
    plan = planned(routed, 100, kit_with(Questions(questions=deed)))
    assert plan.actions == ()
    assert "the traffic router 'stranger'" in (plan.problem or "")


def yields(*each: Any) -> Callable[..., Any]:
    def flow(*_: object) -> Any:
        yield from each[:-1]
        return each[-1]

    return flow


@pytest.mark.parametrize(
    "deed",
    [
        fall,
        lambda *_: Found(verified=True),
        yields(None),
        yields(Found("perhaps")),  # type: ignore[arg-type]
        yields(Found(verified=True, because=5)),  # type: ignore[arg-type]
        yields("http://example.com", Found(verified=True)),
    ],
)
def test_a_question_that_is_asked_wrongly_has_no_answer(deed: Callable[..., Any]) -> None:
    router = kit_with(Questions(ask=deed)).routers["stranger"]
    with pytest.raises(PluginError, match="'stranger'"):
        next(router.ask(ASKS, Asked(after(100))))


def test_what_a_good_question_finds_is_cut_to_what_people_can_read() -> None:
    long = Found(verified=False, because="no" * 100_000, error="x", facts={"any": object()})
    router = kit_with(Questions(ask=yields(long))).routers["stranger"]
    with pytest.raises(StopIteration) as end:
        next(router.ask(ASKS, Asked(after(100))))
    assert len(end.value.value.because) < 5000
    assert not end.value.value.facts


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("states", frozenset({"phase"})),
        ("lists", frozenset({ObjectKind("", "v1", "secrets", "Secret")})),
        ("lists", frozenset({"pages"})),
        ("abilities", frozenset({"everything"})),
        ("most_weight", "much"),
    ],
)
def test_a_router_that_claims_what_it_can_not_have_is_not_installed(part: str, value: Any) -> None:
    router = Routes()
    setattr(router, part, value)
    with pytest.raises((PluginError, ValueError)):
        kit_with(router)


LEAVES: dict[str, Callable[..., Any]] = {
    "raises": fall,
    "creates": says(Create(replace(PAGE, name="web"), {})),
    "deletes what is others'": says(Delete(PAGE)),
    "never is done": lambda *_: (Patch(PAGE, {"spec": {"weight": next(numbers)}}),),
    "can't say what it reads": fall,
}


@pytest.mark.parametrize(("name", "deed"), LEAVES.items(), ids=LEAVES)
def test_a_dropped_router_that_can_not_be_left_holds_up_nothing(name: str, deed: Callable[..., Any]) -> None:
    raw: dict[str, Any] = dict(updating(rollout("app:2", steps=[{"setWeight": 20}, {"pause": {}}])))
    raw["status"] = {**raw["status"], "routedBy": [{"router": "stranger", "spec": {}, **NAMES}]}
    here = given(raw, replica_set("app:1", 5), replica_set("app:2", 0, revision=2), objects={PAGE: LIVE})
    router = Routes(reads=deed) if name == "can't say what it reads" else Stays(leave=deed)
    kit = kit_with(router)
    plan = planned(here, 100, kit)
    assert plan.problem is None
    assert any("'stranger'" in each and "can't be left" in each for each in plan.because)
    assert [each["router"] for each in (plan.status or {})["routedBy"]] == ["stranger"]
    assert any(isinstance(each, UpdateReplicaSet) for each in plan.actions), "the update goes on"


def test_what_a_good_router_asks_for_is_written() -> None:
    for router in (Routes(), Routes(write=meddles)):
        here = seen_with(LIVE)
        plan = plan_rollout(here, after(100), kit_with(router))
        assert plan.problem is None
        assert here.objects == {PAGE: {**LIVE, "spec": {"weight": 77}}}, "what is cached belongs to the cache"
    actions = planned(seen_with(), 100, kit_with(Routes())).actions
    assert [each.body for each in actions if isinstance(each, CreateObject)] == [{"spec": {"weight": 0}}]


def test_others_do_not_notice() -> None:
    other = given(updating(), replica_set("app:1", 4), replica_set("app:2", 1, revision=2))
    assert planned(other, 100, kit_with(Routes(reads=fall))).problem is None


def test_what_it_reads_is_asked_of_it_where_it_can_be_given_up() -> None:
    assert stranger_routers(RAW, kit_with(Routes())) == {"stranger"}
    assert strangers_of(seen_with(), kit_with(Routes())) == {"stranger"}
    rubbish: Any
    for rubbish in ({}, {"spec": []}, {"spec": {"strategy": {"canary": {"trafficRouting": {"plugins": [1]}}}}}):
        assert stranger_routers(rubbish, kit_with(Routes())) == frozenset()
    with pytest.raises(PluginError, match="reads raised ValueError"):
        bound_reads(RAW, kit_with(Routes(reads=fall)))


@pytest.mark.parametrize("deed", [spin, sleep])
@pytest.mark.parametrize("part", ["reads", "problems", "seen", "write"])
async def test_a_router_that_hangs_is_given_up(part: str, deed: Callable[..., Any]) -> None:
    kit = kit_with(Routes(**{part: deed}))
    run = Guard(LIMIT).runner(stranger_routers(RAW, kit))
    with pytest.raises(PluginError, match="the plugin 'stranger' didn't return within"):
        await run(lambda: planned(seen_with(LIVE), 100, kit))


class TestWhatIsLookedAfterConforms(RouterConformance):
    """Being looked after changes nothing for a good one."""

    router = kit_with(Routes()).routers["stranger"]
    specs = (Anything(),)

    def test_it_has_a_key_a_model_and_specs(self) -> None:
        """Its model is looked after, too."""
        assert self.router.key == "stranger"
        assert self.router.model.model_validate({}) == Anything()
