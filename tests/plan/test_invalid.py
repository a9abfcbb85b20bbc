"""What does somebody see who asks for what can't be done? And that nothing else is touched, and all heals."""

from typing import Any

import pytest
from pydantic import ValidationError

from rollouts.api.timestamps import format_time
from rollouts.plan.invalid import plan_unreadable
from tests.plan.decided import given, planned
from tests.plan.given import ONE, Raw, after, condition, live, replica_set, rollout, service, stable

KNOWN = "pause, setCanaryScale, setWeight"
CANARY = "spec.strategy.canary"


def step(*steps: Any) -> Raw:
    return rollout(steps=list(steps))


def _named(name: str) -> Raw:
    return rollout(name=name)


def _with_both() -> Raw:
    raw = rollout()
    raw["spec"]["strategy"]["blueGreen"] = {"activeService": "a"}
    return raw


def _with_a_hash_in_its_selector() -> Raw:
    """Return a Rollout as somebody makes it from a running ReplicaSet."""
    labels = {"app": "web", "rollouts-pod-template-hash": "abc"}
    raw = rollout(selector={"matchLabels": labels})
    raw["spec"]["template"]["metadata"]["labels"] = labels
    return raw


def _threshold(kind: str, value: int) -> Raw:
    return rollout(canary={"replicaProgressThreshold": {"type": kind, "value": value}})


BROKEN: dict[str, tuple[Raw, str]] = {
    "a threshold of an unknown type": (
        _threshold("Half", 50),
        f'{CANARY}.replicaProgressThreshold.type: "Half" is neither Percent nor Pods',
    ),
    "a threshold of nothing": (
        _threshold("Pods", 0),
        (f"{CANARY}.replicaProgressThreshold.value: 0 would go on without a single available pod: must be 1 or more"),
    ),
    "a threshold of too much": (
        _threshold("Percent", 101),
        f"{CANARY}.replicaProgressThreshold.value: 101 percent can never be available: must be 100 or less",
    ),
    "both strategies": (_with_both(), "spec.strategy: has both canary and blueGreen: keep one of them"),
    "no strategy": (rollout(strategy={}), "spec.strategy: names no strategy: set canary or blueGreen"),
    "no selector": (
        rollout(selector={}),
        "spec.selector: is missing or empty: name the labels that the template's pods carry",
    ),
    "a selector that doesn't match": (
        rollout(selector={"matchLabels": {"app": "shop"}}),
        "spec.template.metadata.labels: {'app': 'web'} don't match spec.selector {'matchLabels': {'app': 'shop'}}",
    ),
    "a selector that no ReplicaSet of ours can match": (
        _with_a_hash_in_its_selector(),
        (
            "spec.selector: {'matchLabels': {'app': 'web', 'rollouts-pod-template-hash': 'abc'}} is about"
            " rollouts-pod-template-hash, which has another value in each ReplicaSet: select other labels"
        ),
    ),
    "negative replicas": (rollout(replicas=-1), "spec.replicas: -1 is negative: must be 0 or more"),
    "negative minReadySeconds": (
        rollout(minReadySeconds=-1),
        "spec.minReadySeconds: -1 is negative: must be 0 or more",
    ),
    "negative history": (
        rollout(revisionHistoryLimit=-1),
        "spec.revisionHistoryLimit: -1 is negative: must be 0 or more",
    ),
    "a deadline no later than minReadySeconds": (
        rollout(minReadySeconds=60, progressDeadlineSeconds=60),
        "spec.progressDeadlineSeconds: 60 must be greater than minReadySeconds (60)",
    ),
    "a surge that is no percentage": (
        rollout(canary={"maxSurge": "abc%"}),
        f"{CANARY}.maxSurge: 'abc%' is no percentage: write a whole number of pods, or a percentage as in '25%'",
    ),
    "a negative surge": (rollout(canary={"maxSurge": -1}), f"{CANARY}.maxSurge: -1 is negative: write 0 or more"),
    "more than everything unavailable": (
        rollout(canary={"maxUnavailable": "101%"}),
        f"{CANARY}.maxUnavailable: '101%' is more than 100%: write at most '100%'",
    ),
    "neither surge nor unavailability": (
        rollout(canary={"maxSurge": "0%", "maxUnavailable": 0}),
        f"{CANARY}.maxSurge: and maxUnavailable are both 0: no pod could ever be replaced; raise one",
    ),
    "a weight above 100": (
        step({"setWeight": 140}),
        f"{CANARY}.steps[0].setWeight: 140 is out of range: a weight is a number from 0 to 100",
    ),
    "a weight below 0": (
        step({"setWeight": 20}, {"setWeight": -1}),
        f"{CANARY}.steps[1].setWeight: -1 is out of range: a weight is a number from 0 to 100",
    ),
    "a duration that doesn't parse": (
        step({"pause": {"duration": "5 minutes"}}),
        (
            f"{CANARY}.steps[0].pause.duration: '5 minutes' is no duration: unknown unit ' minutes'; write numbers "
            "with units h, m, s, ms, us or ns, for example 90s or 1h30m"
        ),
    ),
    "a negative duration": (
        step({"pause": {"duration": -5}}),
        f"{CANARY}.steps[0].pause.duration: -5 is negative: a pause lasts 0 seconds or longer",
    ),
    "a step with two actions": (
        step({"setWeight": 20, "pause": {}}),
        f"{CANARY}.steps[0]: must have exactly one action, has setWeight, pause; known are {KNOWN}",
    ),
    "a step without an action": (
        step({}),
        f"{CANARY}.steps[0]: must have exactly one action, has none; known are {KNOWN}",
    ),
    "an unknown step": (
        step({"setWieght": 20}),
        (f"{CANARY}.steps[0]: must have exactly one action, has setWieght, which no step is called; known are {KNOWN}"),
    ),
    "a Service for both roles": (
        rollout(canary={"canaryService": "s", "stableService": "s"}),
        f'{CANARY}.stableService: "s" is the canaryService, too: name two Services',
    ),
    "a Service that doesn't exist": (
        rollout(canary={"canaryService": "nowhere"}),
        f'{CANARY}.canaryService: Service "nowhere" does not exist: create it, or correct the name',
    ),
    "another Rollout's Service": (
        rollout(canary={"canaryService": "theirs"}),
        f'{CANARY}.canaryService: Service "theirs" is managed by another Rollout, "shop": use a Service of your own',
    ),
    "a Service that selects other pods": (
        rollout(canary={"stableService": "elsewhere"}),
        f"{CANARY}.stableService: Service \"elsewhere\" selects app=shop, which the template's labels don't carry",
    ),
    "a name too long for its ReplicaSets": (
        _named("w" * 253),
        "metadata.name: must have at most 242 characters: ReplicaSets are named after it",
    ),
}


def services() -> dict[str, Raw | None]:
    theirs = service("theirs", app="web")
    theirs["metadata"]["annotations"] = {"argo-rollouts.argoproj.io/managed-by-rollouts": "shop"}
    return {
        "nowhere": None,
        "theirs": theirs,
        "elsewhere": service("elsewhere", app="shop"),
        "s": service("s", app="web"),
    }


@pytest.mark.parametrize("case", BROKEN)
def test_the_problem_is_shown_and_nothing_else_touched(case: str) -> None:
    raw, problem = BROKEN[case]
    before = stable(raw) if raw["spec"]["strategy"].get("canary") else live(raw)
    before["metadata"]["generation"] = 2
    message = f'The Rollout "{raw["metadata"]["name"]}" is invalid: {problem}'
    plan = planned(given(before, replica_set("app:1", 5), services=services()))
    assert plan.actions == ()
    assert plan.problem == message
    assert plan.because == (message,)
    assert plan.wake_at == after(120)
    assert plan.status is not None
    status = dict(plan.status)
    *others, invalid = status.pop("conditions")
    assert invalid == condition("InvalidSpec", "True", "InvalidSpec", message, since=100)
    assert others == before["status"].get("conditions", [])
    rest = {key: value for key, value in before["status"].items() if key != "conditions"}
    assert status == {**rest, "phase": "Degraded", "message": f"InvalidSpec: {message}", "observedGeneration": "2"}


def invalid(raw: Raw, seconds: float = 100) -> Raw:
    """Return the Rollout with the status that its problem leads to."""
    plan = planned(given(raw, replica_set("app:1", 5)), seconds)
    assert plan.status is not None
    return {**raw, "status": plan.status}


def test_the_same_problem_is_written_once() -> None:
    assert planned(given(invalid(stable(step({"setWeight": 140}))), replica_set("app:1", 5)), 200).status is None


def test_another_problem_takes_its_place() -> None:
    before = invalid(stable(step({"setWeight": 140})))
    plan = planned(given({**before, "spec": step({"setWeight": 150})["spec"]}, replica_set("app:1", 5)), 200)
    assert plan.status is not None
    shown = [each for each in plan.status["conditions"] if each["type"] == "InvalidSpec"]
    assert [(each["message"].count("150"), each["lastUpdateTime"]) for each in shown] == [(1, format_time(after(200)))]


def test_once_corrected_the_condition_goes_and_the_phase_heals() -> None:
    before = invalid(stable(step({"setWeight": 140})))
    plan = planned(given({**before, "spec": step({"setWeight": 40})["spec"]}, replica_set("app:1", 5)), 200)
    assert plan.problem is None
    assert plan.status is not None
    assert (plan.status["phase"], plan.status.get("message"), plan.status["stableRS"]) == ("Healthy", None, ONE)
    assert "InvalidSpec" not in {each["type"] for each in plan.status["conditions"]}


@pytest.mark.parametrize(("path", "spec"), [("replicas", {"replicas": "five"}), ("paused", {"paused": "yes"})])
def test_a_spec_without_the_apis_shape_is_shown_like_any_problem(path: str, spec: dict[str, Any]) -> None:
    raw = live(rollout(**spec) if "replicas" not in spec else {**rollout(), "spec": {**rollout()["spec"], **spec}})
    with pytest.raises(ValidationError):
        given(raw)
    plan = plan_unreadable(raw, f"spec.{path}: wrong", after(100))
    assert plan.actions == ()
    assert plan.status is not None
    assert plan.status["message"] == f'InvalidSpec: The Rollout "web" is invalid: spec.{path}: wrong'
