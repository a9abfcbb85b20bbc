"""Which pods keep away from stable's nodes, for how long, and what of an affinity is the user's own?"""

from typing import Any

import pytest

from rollouts.api import keys
from rollouts.plan.actions import CreateReplicaSet, UpdateReplicaSet
from rollouts.plan.additions import own_template
from rollouts.plan.observed import Observed
from tests.plan.decided import given, planned
from tests.plan.given import ONE, THREE, TWO, Raw, live, paused, replica_set, rollout, stable

REQUIRED: Raw = {"antiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}
PREFERRED: Raw = {"antiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 7}}}
THEIRS: Raw = {"labelSelector": {"matchLabels": {"app": "db"}}, "topologyKey": "kubernetes.io/hostname"}


def term(pod_hash: str) -> Raw:
    return {
        "labelSelector": {
            "matchExpressions": [{"key": keys.POD_TEMPLATE_HASH, "operator": "In", "values": [pod_hash]}]
        },
        "namespaces": ["default"],
        "topologyKey": "kubernetes.io/hostname",
    }


def required(*terms: Raw) -> Raw:
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


def preferred(*terms: Raw) -> Raw:
    entries = [{"weight": 7, "podAffinityTerm": each} for each in terms]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": entries}}


def placed(raw: Raw, affinity: Any) -> Raw:
    """Return a Rollout or a ReplicaSet with an affinity in its template."""
    template = raw["spec"]["template"]
    spec = {**template["spec"], "affinity": affinity}
    return {**raw, "spec": {**raw["spec"], "template": {**template, "spec": spec}}}


def written(here: Observed) -> dict[str, Any]:
    """Return the affinities that are written, by ReplicaSet."""
    found: dict[str, Any] = {}
    for action in planned(here).actions:
        if isinstance(action, CreateReplicaSet):
            found[action.name] = action.body["spec"]["template"]["spec"].get("affinity")
        elif isinstance(action, UpdateReplicaSet) and action.template is not None:
            found[action.name] = action.template.affinity
    return found


HALF = (replica_set("app:1", 3), replica_set("app:2", 2, revision=2))
OUR_TWO = placed(HALF[1], required(term(ONE)))

ROWS: dict[str, tuple[Observed, dict[str, Any]]] = {
    "a first deploy keeps away from nobody": (given(live(rollout(canary=REQUIRED))), {f"web-{ONE}": None}),
    "an update begins: its ReplicaSet is made with the term": (
        given(stable(rollout("app:2", canary=REQUIRED)), replica_set("app:1", 5)),
        {f"web-{TWO}": required(term(ONE))},
    ),
    "preferred, with its weight": (
        given(stable(rollout("app:2", canary=PREFERRED)), replica_set("app:1", 5)),
        {f"web-{TWO}": preferred(term(ONE))},
    ),
    "asked for in mid-update: the current one gets it, stable doesn't": (
        given(paused(rollout("app:2", canary=REQUIRED)), *HALF),
        {f"web-{TWO}": required(term(ONE))},
    ),
    "it is there: nothing to do": (given(paused(rollout("app:2", canary=REQUIRED)), HALF[0], OUR_TWO), {}),
    "another stable: the term is refreshed": (
        given(paused(rollout("app:2", canary=REQUIRED)), HALF[0], placed(HALF[1], required(THEIRS, term("gone")))),
        {f"web-{TWO}": required(THEIRS, term(ONE))},
    ),
    "from required to preferred": (
        given(paused(rollout("app:2", canary=PREFERRED)), HALF[0], OUR_TWO),
        {f"web-{TWO}": preferred(term(ONE))},
    ),
    "not asked for any more": (given(paused(rollout("app:2")), HALF[0], OUR_TWO), {f"web-{TWO}": {}}),
    "promoted: it goes": (
        given(
            stable(rollout("app:2", canary=REQUIRED), currentPodHash=TWO, stableRS=TWO),
            placed(replica_set("app:2", 5), required(THEIRS, term(ONE))),
        ),
        {f"web-{TWO}": required(THEIRS)},
    ),
    "aborted: the update is still one": (
        given(paused(rollout("app:2", canary=REQUIRED), abort=True), HALF[0], OUR_TWO),
        {},
    ),
    "overtaken by another update: it goes": (
        given(
            paused(rollout("app:3", canary=REQUIRED), currentPodHash=THREE),
            HALF[0],
            OUR_TWO,
            placed(replica_set("app:3", 0, revision=3), required(term(ONE))),
        ),
        {f"web-{TWO}": {}},
    ),
    "what only looks like ours is the user's": (
        given(
            stable(rollout(canary=REQUIRED)),
            placed(
                replica_set("app:1", 5),
                {
                    "nodeAffinity": {},
                    "podAntiAffinity": {
                        "requiredDuringSchedulingIgnoredDuringExecution": [
                            {**term(TWO), "topologyKey": "topology.kubernetes.io/zone"},
                            {**term(TWO), "labelSelector": {"matchExpressions": []}},
                            {**term(TWO), "labelSelector": {**term(TWO)["labelSelector"], "matchLabels": {"a": "b"}}},
                        ]
                    },
                },
            ),
        ),
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("here", "affinities"), ROWS.values(), ids=ROWS)
def test_anti_affinity(here: Observed, affinities: dict[str, Any]) -> None:
    assert written(here) == affinities


def test_the_users_own_terms_come_first() -> None:
    update = stable(placed(rollout("app:2", canary=REQUIRED), required(THEIRS)))
    (affinity,) = written(given(update, replica_set("app:1", 5))).values()
    assert affinity == required(THEIRS, term(ONE))


@pytest.mark.parametrize("own", [None, required(THEIRS), {"nodeAffinity": {"x": []}}, {}])
@pytest.mark.parametrize("ours", [[], [term(TWO)], [term(ONE), term(TWO)]])
def test_the_users_template_comes_back_as_it_was(own: Raw | None, ours: list[Raw]) -> None:
    terms = [*(own or {}).get("podAntiAffinity", {}).get("requiredDuringSchedulingIgnoredDuringExecution", []), *ours]
    live_affinity = {**(own or {}), **required(*terms)} if terms else own
    raw = replica_set("app:1", 5)
    restored = own_template(placed(raw, live_affinity) if live_affinity is not None else raw)
    if ours and not own:
        assert "affinity" not in restored["spec"]
    else:
        assert restored["spec"].get("affinity") == own


@pytest.mark.parametrize("own", [None, required(THEIRS), {}])
def test_a_replica_set_without_a_digest_is_found_under_a_term(own: Raw | None) -> None:
    mine = rollout() if own is None else placed(rollout(), own)
    labels = {"app": "web", keys.POD_TEMPLATE_HASH: "another"}
    raw = replica_set("app:1", 5, labels=labels, annotations={keys.TEMPLATE_DIGEST: None})
    terms = [*([THEIRS] if own else []), term(TWO)]
    here = given(stable(mine, currentPodHash="another", stableRS="another"), placed(raw, required(*terms)))
    assert not [each for each in planned(here).actions if isinstance(each, CreateReplicaSet)]
