"""What do pods carry once everything is at rest? The metadata of their role, whatever went wrong on the way there."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollouts.api import keys
from rollouts.registry import load_kit
from rollouts.sim.scenario import Change, patch_spec
from rollouts.sim.simulation import Simulation
from tests.properties.test_any_rollout import assert_settled
from tests.properties.worlds import NAME, Trial, trials

KIT = load_kit()
OWN = {"labels": {"app": "web", "own": "label"}, "annotations": {"own": "annotation"}}
PARTS = ("labels", "annotations")

words = st.dictionaries(st.sampled_from(("own", "role", "stage")), st.sampled_from(("canary", "stable")), max_size=2)
metadata = st.none() | st.fixed_dictionaries({}, optional=dict.fromkeys(PARTS, words))
anti_affinity: st.SearchStrategy[Mapping[str, Any] | None] = st.sampled_from(
    (
        None,
        {"requiredDuringSchedulingIgnoredDuringExecution": {}},
        {"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 7}},
    )
)
settings = st.fixed_dictionaries(
    {"canaryMetadata": metadata, "stableMetadata": metadata, "antiAffinity": anti_affinity}
)  # fmt: skip


def exchanged(at: float, wanted: Mapping[str, Any]) -> Change:
    """Put other settings in the place of what is there."""
    nothing = dict.fromkeys(("canaryMetadata", "stableMetadata", "antiAffinity"))

    def do(world: Any) -> None:
        world.patch_rollout(NAME, {"spec": {"strategy": {"canary": nothing}}})
        world.patch_rollout(NAME, {"spec": {"strategy": {"canary": wanted}}})

    return replace(patch_spec(at, NAME, f"settings {wanted}"), do=do)


def adorned(trial: Trial, first: Mapping[str, Any], later: list[tuple[float, Mapping[str, Any]]]) -> Trial:
    """Return the trial with metadata in its template and strategy, which people change on the way."""
    spec = trial.rollout["spec"]
    template = {**spec["template"], "metadata": OWN}
    canary = {**spec["strategy"]["canary"], **{key: value for key, value in first.items() if value is not None}}
    raw = {**trial.rollout, "spec": {**spec, "template": template, "strategy": {"canary": canary}}}
    script = [*trial.script, *(exchanged(at, wanted) for at, wanted in later)]
    return replace(trial, rollout=raw, script=script)


def carried(raw: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the metadata of a template or a pod, but for the hash."""
    return {
        part: {key: value for key, value in (raw.get(part) or {}).items() if key != keys.POD_TEMPLATE_HASH}
        for part in PARTS
    }


def expected(rollout: Mapping[str, Any], pod_hash: str) -> tuple[dict[str, dict[str, str]], Any]:
    """Return what pods with a hash carry, and which anti-affinity their template has."""
    status, canary = rollout["status"], rollout["spec"]["strategy"]["canary"]
    current, stable = status["currentPodHash"], status["stableRS"]
    role = {stable: canary.get("stableMetadata"), current: canary.get("canaryMetadata")}
    role |= {stable: canary.get("stableMetadata")}
    wanted = role.get(pod_hash) or {}
    is_updating = pod_hash == current != stable
    return {part: {**OWN[part], **(wanted.get(part) or {})} for part in PARTS}, (
        canary.get("antiAffinity") if is_updating else None
    )


@given(trials(may_crash=True), settings, st.lists(st.tuples(st.sampled_from((31.0, 35.5, 80.0)), settings), max_size=2))
def test_every_pod_shows_the_metadata_of_its_role_in_the_end(
    trial: Trial, first: Mapping[str, Any], later: list[tuple[float, Mapping[str, Any]]]
) -> None:
    trial = adorned(trial, first, later)
    simulation = Simulation(trial.scenario(), KIT, faults=trial.faults)
    for _ in simulation.run():
        pass
    world = simulation.world
    rollout = world.rollouts[NAME]
    for name, raw in world.replica_sets.items():
        wanted, apart = expected(rollout, raw["metadata"]["labels"][keys.POD_TEMPLATE_HASH])
        assert keys.PENDING_METADATA not in raw["metadata"]["annotations"], name
        assert carried(raw["spec"]["template"]["metadata"]) == wanted, name
        for pod in world.pods_of(raw):
            assert carried({"labels": pod.labels, "annotations": pod.annotations}) == wanted, pod.name
        kinds = (raw["spec"]["template"]["spec"].get("affinity") or {}).get("podAntiAffinity") or {}
        assert set(kinds) == set(apart or {}), name
        assert rollout["status"]["stableRS"] in str(kinds) or not apart
    assert_settled(simulation)
