"""Which share of the traffic do the pods of an experiment get?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from rollouts.plan import plan_rollout
from rollouts.plan.narrate import narrate
from rollouts.plan.route import Capacity, Side
from rollouts.plan.sides import Sides
from rollouts.ports import Destination
from tests.plan.children.experiments.given import NAME, side, step, tried
from tests.plan.decided import given
from tests.plan.given import ONE, TWO, after, replica_set, updating
from tests.plan.routed import Does, does
from tests.plan.test_services import ours
from tests.routing import KIT, by_router, split, told, written_down

Raw = dict[str, Any]

BASELINE = {"name": "baseline", "specRef": "stable", "weight": 10}
NEXT = {"name": "canary", "specRef": "stable", "weight": 15}
TRIED = step(BASELINE, NEXT)
RUNNING = [side("baseline", service="web-b"), side("canary", service="web-c")]
SETS = (replica_set("app:1", 5), replica_set("app:2", 1, revision=2))
BOTH = {"web-b": 10, "web-c": 15}


def observed(
    experiment: Raw | None,
    shares: Mapping[str, int],
    *,
    additional: Mapping[str, int] | None = None,
    hashes: bool = False,
    index: int = 1,
) -> Any:
    """Return a canary at weight 20, and at the step of an experiment; `additional` is what the status tells."""
    by_hash: Raw = {"services": {}} if hashes else {}
    raw = by_router("app:2", steps=({"setWeight": 20}, TRIED, {"setWeight": 60}), hashes=hashes, **by_hash)
    services = ("", "") if hashes else ("c", "s")
    part = told(20, TWO, ONE, services=services)
    if additional:
        others = [_told(name, weight, hashes=hashes) for name, weight in additional.items()]
        part["weights"]["additional"] = others
        part["weights"]["stable"]["weight"] -= sum(additional.values())
    part["currentExperiment"] = NAME
    return given(
        written_down(updating(raw, index=index, canary=part)),
        *SETS,
        services={"s": ours("s", ONE), "c": ours("c", TWO)},
        objects=split(shares),
        experiments=[] if experiment is None else [experiment],
    )


def _told(name: str, weight: int, *, hashes: bool) -> Raw:
    pods = {"web-b": "hash-baseline", "web-c": "hash-canary"}.get(name, name)
    return {"weight": weight, "podTemplateHash": pods, **({} if hashes else {"serviceName": name})}


@dataclass(frozen=True)
class Row:
    """An experiment, the shares that the router has, and those that it gets."""

    says: str
    experiment: Raw | None
    has: Mapping[str, int]
    gets: Mapping[str, int] | None
    additional: Mapping[str, int] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.says


PLAIN, SHARED = {"c": 20, "s": 80}, {"c": 20, "s": 55, **BOTH}
ROWS = (
    Row("while it waits for its pods it gets nothing", tried(NAME, "Pending", templates=RUNNING), PLAIN, None),
    Row("once it runs it gets its weights, at stable's cost", tried(NAME, "Running", templates=RUNNING), PLAIN, SHARED),
    Row("which it keeps", tried(NAME, "Running", templates=RUNNING), SHARED, None, BOTH),
    Row(
        "without available pods a template gets none",
        tried(NAME, "Running", templates=[RUNNING[0], side("canary", 0, service="web-c")]),
        SHARED,
        {"c": 20, "s": 70, "web-b": 10},
        BOTH,
    ),
    Row(
        "without a Service there is no way to its pods",
        tried(NAME, "Running", templates=[RUNNING[0], side("canary")]),
        PLAIN,
        {"c": 20, "s": 70, "web-b": 10},
    ),
    Row("when it has ended it gives them back", tried(NAME, "Inconclusive"), SHARED, PLAIN, BOTH),
    Row(
        "when it is told to end as well", tried(NAME, "Running", templates=RUNNING, terminate=True), SHARED, PLAIN, BOTH
    ),
    Row("so does one that is gone", None, SHARED, PLAIN, BOTH),
    Row(
        "another's than the current step's gets nothing",
        tried(NAME, "Running", templates=RUNNING),
        SHARED,
        PLAIN,
        BOTH,
        {"index": 0},
    ),
    Row(
        "a router that knows hashes needs no Services",
        tried(NAME, "Running", templates=[side("baseline"), side("canary")]),
        {ONE: 80, TWO: 20},
        {ONE: 55, TWO: 20, "hash-baseline": 10, "hash-canary": 15},
        {},
        {"hashes": True},
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_gets_what(row: Row) -> None:
    here = observed(row.experiment, row.has, additional=row.additional, **row.fields)
    found: Does = does(here)
    assert found.shares == row.gets
    assert not found.sizes


def test_more_than_stable_has_is_not_to_be_had() -> None:
    canary, stable = (Side(name, name, None, None, None) for name in ("c", "s"))
    sides = Sides(canary, stable, told=None, is_in_force=True, additional=(Destination("x", "hash-x", 30),))
    assert [each.weight for each in sides.route(70, Capacity(5, 100)).additional] == [30]
    route = sides.route(71, Capacity(5, 100))
    assert (route.stable.weight, route.additional) == (29, ())


def test_what_is_in_force_is_written_down_and_told() -> None:
    here = observed(tried(NAME, "Running", templates=RUNNING), SHARED)
    plan = plan_rollout(here, after(100), KIT)
    assert plan.status is not None
    weights = plan.status["canary"]["weights"]
    assert weights["stable"]["weight"] == 55
    assert weights["additional"] == [
        {"weight": 10, "serviceName": "web-b", "podTemplateHash": "hash-baseline"},
        {"weight": 15, "serviceName": "web-c", "podTemplateHash": "hash-canary"},
    ]
    (event,) = narrate(here, plan, plan.actions, status_written=True, kit=KIT)
    assert event.message == "Traffic weight updated from 20 to 20, additional: web-b 10, web-c 15"
