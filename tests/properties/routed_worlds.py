"""Which worlds with a traffic router can there be? Strategies for specs, scripts and faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from rollouts.api import keys
from rollouts.sim.faults import Fault, Trouble
from rollouts.sim.pods import Behaviour
from rollouts.sim.scenario import Change, Scenario, create
from rollouts.sim.world import Snapshot, World
from tests.plan.given import START
from tests.properties.worlds import IMAGES, NAME, QUIET, Trial, faults, scripts
from tests.routing import PAIR, SERVICES, SPLIT, DataPlane, by_router, create_services

MANAGED = ("first", "second")
weights: st.SearchStrategy[Mapping[str, Any]] = st.integers(0, 100).map(lambda weight: {"setWeight": weight})
pauses: st.SearchStrategy[Mapping[str, Any]] = st.sampled_from(({"pause": {"duration": 7}}, {"pause": {}}))
scales: st.SearchStrategy[Mapping[str, Any]] = st.one_of(
    st.integers(0, 9).map(lambda count: {"setCanaryScale": {"replicas": count}}),
    st.integers(0, 100).map(lambda weight: {"setCanaryScale": {"weight": weight}}),
    st.just({"setCanaryScale": {"matchTrafficWeight": True}}),
)
_HEADER = {"headerName": "X-QA", "headerValue": {"exact": "1"}}
_matches: st.SearchStrategy[Mapping[str, Any]] = st.sampled_from(({}, {"match": [_HEADER]}, {"match": [_HEADER]}))
managed: st.SearchStrategy[Mapping[str, Any]] = st.one_of(
    st.tuples(st.sampled_from(MANAGED), _matches).map(lambda it: {"setHeaderRoute": {"name": it[0], **it[1]}}),
    st.sampled_from(MANAGED).map(
        lambda name: {"setMirrorRoute": {"name": name, "match": [{"method": {"exact": "GET"}}]}}
    ),
)
any_step = st.one_of(weights, weights, pauses, scales, managed)


@dataclass(frozen=True)
class RoutedTrial:
    """One world with a router as it is drawn. `follows` is how long its data plane takes."""

    trial: Trial
    services: Sequence[str]
    follows: float

    def scenario(self) -> Scenario:
        """Return a new world with the script that happens in it."""
        world = World(START, dict(self.trial.images), followers=(DataPlane(self.follows),))
        script = self.trial.script
        end = max((change.at for change in script), default=0.0)
        begin = (*create_services(*self.services), create(0, dict(self.trial.rollout)))
        return Scenario(world, (*begin, *script), end + QUIET)

    def then(self, *changes: Change) -> "RoutedTrial":
        """Return the trial with changes after its own, each so many seconds later than the last as it says."""
        script = list(self.trial.script)
        at = max(change.at for change in script)
        for change in changes:
            at += change.at
            script.append(replace(change, at=at))
        return replace(self, trial=replace(self.trial, script=script))


@st.composite
def routed_specs(draw: st.DrawFn, step: st.SearchStrategy[Any]) -> tuple[dict[str, Any], Sequence[str], bool]:
    """Draw a valid Rollout, its Services, and whether its router verifies."""
    mode = draw(st.sampled_from(("services", "services", "pair", "hashes")))
    services: Mapping[str, Any] = {"services": SERVICES, "pair": PAIR, "hashes": {}}[mode]
    names = {"services": ("s", "c"), "pair": ("ping", "pong"), "hashes": ()}[mode]
    verifies = draw(st.booleans())
    settings: dict[str, Any] = {"hashes": mode == "hashes", "verifies": verifies}
    if draw(st.booleans()):
        settings["dynamicStableScale"] = True
    else:
        settings["scaleDownDelaySeconds"] = draw(st.sampled_from((None, 0, 5)))
    settings |= {
        "abortScaleDownDelaySeconds": draw(st.sampled_from((None, None, 3))),
        "minPodsPerReplicaSet": draw(st.sampled_from((None, None, 2))),
        "scaleDownDelayRevisionLimit": draw(st.sampled_from((None, None, 1))),
        "replicas": draw(st.integers(0, 8)),
        "steps": draw(st.none() | st.lists(step, max_size=4)),
        "progressDeadlineSeconds": 60,
        "progressDeadlineAbort": draw(st.booleans()),
        "trafficRouting": {"managedRoutes": [{"name": name} for name in MANAGED]},
    }
    if draw(st.booleans()):
        settings["trafficRouting"]["sessionAffinity"] = {}
    rollout = by_router(services=services, **{key: value for key, value in settings.items() if value is not None})
    return rollout, names, verifies


@st.composite
def routed_trials(
    draw: st.DrawFn,
    *,
    step: st.SearchStrategy[Any] = any_step,
    may_crash: bool = False,
    may_be_rubbish: bool = False,
    troubles: Sequence[Trouble] = tuple(Trouble),
) -> RoutedTrial:
    """Draw a whole world."""
    rollout, services, verifies = draw(routed_specs(step))
    ready = st.sampled_from((0, 1, 2, 7))
    crash = st.sampled_from((None, None, None, 3)) if may_crash else st.none()
    images = {image: Behaviour(draw(ready), draw(crash)) for image in IMAGES}
    script = draw(scripts(may_crash=may_crash, may_be_rubbish=may_be_rubbish))
    hit: Mapping[int, Fault] = draw(faults(*troubles)) if troubles else {}
    follows = draw(st.sampled_from((0, 2, 9))) if verifies else 0
    return RoutedTrial(Trial(rollout, images, script, hit), services, follows)


def split_of(snapshot: Snapshot) -> Mapping[str, Any] | None:
    return snapshot.objects.get(SPLIT)


def shares_of(snapshot: Snapshot, *, followed: bool) -> dict[str, int]:
    """Return the traffic by pod hash: what the router is told or, `followed`, what its data plane does."""
    split = split_of(snapshot)
    if split is None:
        return {}
    spec = (split.get("status") or {}).get("traffic", {"shares": []}) if followed else split["spec"]
    return _by_hash(snapshot, spec["shares"])


def _by_hash(snapshot: Snapshot, entries: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    shares: dict[str, int] = {}
    for each in entries:
        service = snapshot.services.get(each["to"])
        pod_hash = service["spec"]["selector"].get(keys.POD_TEMPLATE_HASH, "") if service is not None else each["to"]
        shares[pod_hash] = shares.get(pod_hash, 0) + each["weight"]
    return {pod_hash: weight for pod_hash, weight in shares.items() if weight and pod_hash}


def answers_to(snapshot: Snapshot, cookie: str) -> dict[str, int]:
    """Return which pods answer a client with this cookie, by hash, and with which weights."""
    split = split_of(snapshot)
    if split is None:
        return {}
    known = split["spec"].get("returning") or ()
    shares = next((each["shares"] for each in known if cookie in each["values"]), split["spec"]["shares"])
    return _by_hash(snapshot, shares)


def led_to(snapshot: Snapshot, *, followed: bool) -> dict[tuple[str, str], str]:
    """Return where managed routes lead to, by kind and name: the hash of the pods."""
    split = split_of(snapshot)
    if split is None:
        return {}
    spec = (split.get("status") or {}).get("traffic", {}) if followed else split["spec"]
    found: dict[tuple[str, str], str] = {}
    for kind in ("headers", "mirrors"):
        for each in spec.get(kind) or ():
            service = snapshot.services.get(each["to"])
            selector = service["spec"]["selector"] if service is not None else {keys.POD_TEMPLATE_HASH: each["to"]}
            found[kind, each["name"]] = selector.get(keys.POD_TEMPLATE_HASH, "")
    return found


def name_of(pod_hash: str) -> str:
    return f"{NAME}-{pod_hash}"
