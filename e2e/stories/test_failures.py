"""What becomes of rollouts that can't go on, and of those beside them?"""

import json

import pytest

from e2e.kubectl import KubectlError
from e2e.recorder import Recorder
from e2e.stories.story import BETTER, CRASH, GOOD, HASH, REVISION, STEPS, Json, Story
from e2e.waiting import eventually
from tests.wire.objects import rollout, service

MANAGED = "argo-rollouts.argoproj.io/managed-by-rollouts"


async def message_of(story: Story, name: str, kind: str) -> str:
    conditions = (await story.rollout(name))["status"]["conditions"]
    (found,) = [each["message"] for each in conditions if each["type"] == kind]
    assert isinstance(found, str)
    return found


async def test_deleting_takes_everything_along(story: Story) -> None:
    await story.create()
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    await story.kubectl("delete", "rollout", "web")

    async def nothing_is_left() -> bool:
        return not await story.pods() and not await story.replica_sets() and not await story.rollout()

    await eventually(nothing_is_left)


async def test_orphans_are_taken_up_by_the_next_rollout(story: Story) -> None:
    await story.create(replicas=3)
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)
    pods = {pod["metadata"]["uid"] for pod in await story.pods()}
    await story.kubectl("delete", "rollout", "web", "--cascade=orphan")
    assert {pod["metadata"]["uid"] for pod in await story.pods()} == pods
    assert not any(each["metadata"].get("ownerReferences") for each in await story.replica_sets())
    await story.kubectl.apply(rollout(replicas=3, image=BETTER))
    await story.reaches("Healthy")
    await story.comes_to({BETTER: 3})
    old, new = await story.replica_sets()
    assert [each["spec"]["replicas"] for each in (old, new)] == [0, 3]
    owner = (await story.rollout())["metadata"]["uid"]
    assert {each["metadata"]["ownerReferences"][0]["uid"] for each in (old, new)} == {owner}
    assert {pod["metadata"]["uid"] for pod in await story.pods()} & pods  # the canary's pods served on


async def test_a_crashing_image_is_aborted_by_its_deadline(story: Story) -> None:
    await story.create()
    await story.patch({"progressDeadlineSeconds": 5, "progressDeadlineAbort": True})
    await story.set_image(CRASH)
    status = await story.reaches("Degraded", abort=True)
    assert "timed out progressing" in status["message"]
    await story.comes_to({GOOD: 5})
    await story.set_image(GOOD)
    await story.reaches("Healthy")


async def test_a_crashing_image_without_abort_waits_for_people(story: Story) -> None:
    await story.create(progressDeadlineSeconds=3)
    await story.set_image(CRASH)
    status = await story.reaches("Degraded")
    assert status["message"].startswith("ProgressDeadlineExceeded: ")
    assert not status.get("abort")
    await story.comes_to({GOOD: 4, CRASH: 1})
    await story.set_image(BETTER)
    await story.reaches("Paused", currentStepIndex=1)


async def test_a_template_that_the_server_refuses_is_told_and_can_be_mended(story: Story) -> None:
    await story.create(replicas=2)
    bad = [{"op": "replace", "path": "/spec/template/spec/containers/0/name", "value": "Not_A_Name"}]
    await story.kubectl("patch", "rollout", "web", "--type=json", "-p", json.dumps(bad))

    async def is_told() -> bool:
        return "spec.template.spec.containers[0].name" in await message_of(story, "web", "Progressing")

    await eventually(is_told)
    await story.comes_to({GOOD: 2})
    await story.tells("ReplicaSetCreateError")
    good = [{"op": "replace", "path": "/spec/template/spec/containers/0/name", "value": "web"}]
    await story.kubectl("patch", "rollout", "web", "--type=json", "-p", json.dumps(good))
    await story.reaches("Healthy")


BROKEN: dict[str, tuple[Json, str]] = {
    "both": ({"strategy": {"canary": {}, "blueGreen": {"activeService": "web"}}}, "strategy"),
    "none": ({"strategy": {}}, "strategy"),
    "selector": ({"selector": {"matchLabels": {"app": "another"}}}, "selector"),
    "surge": ({"strategy": {"canary": {"maxSurge": "abc%"}}}, "abc%"),
    "duration": ({"strategy": {"canary": {"steps": [{"pause": {"duration": "soon"}}]}}}, "soon"),
    "two-actions": ({"strategy": {"canary": {"steps": [{"setWeight": 1, "pause": {}}]}}}, "steps[0]"),
    "no-action": ({"strategy": {"canary": {"steps": [{}]}}}, "steps[0]"),
    "no-service": ({"strategy": {"canary": {"stableService": "absent", "canaryService": "gone"}}}, "gone"),
}


async def test_broken_rollouts_say_what_is_wrong_and_hold_nobody_up(story: Story) -> None:
    healthy = [rollout(f"ok-{number}", 1) for number in range(3)]
    broken = [
        {**rollout(f"bad-{name}", 1), "spec": {**rollout(f"bad-{name}", 1)["spec"], **spec}}
        for name, (spec, _) in BROKEN.items()
    ]
    await story.kubectl.apply([*broken, *healthy])
    for each in healthy:
        await story.reaches("Healthy", each["metadata"]["name"])
    for name, (_, word) in BROKEN.items():
        status = await story.reaches("Degraded", f"bad-{name}")
        assert status["message"].startswith("InvalidSpec: "), (name, status)
        assert word in status["message"], (name, status["message"])
        assert not await story.pods(f"bad-{name}")
    await story.kubectl(
        "patch", "rollout", "bad-surge", "--type=merge", "-p", '{"spec":{"strategy":{"canary":{"maxSurge":1}}}}'
    )
    await story.reaches("Healthy", "bad-surge")


async def test_a_name_that_leaves_no_room_for_replica_sets_is_told(story: Story) -> None:
    name = "n" * 253
    obj = {**rollout("long", 1), "metadata": {"name": name}}
    await story.kubectl.apply([obj, rollout("ok", 1)])
    await story.reaches("Healthy", "ok")
    status = await story.reaches("Degraded", name)
    assert "metadata.name: must have at most 242 characters" in status["message"]


async def test_a_service_follows_its_revision(story: Story) -> None:
    await story.kubectl.apply(
        [service("web-stable", selector={"app": "web"}), service("web-canary", selector={"app": "web"})]
    )
    canary = {"stableService": "web-stable", "canaryService": "web-canary", "steps": [{"setWeight": 20}, {"pause": {}}]}
    status = await story.create(strategy={"canary": canary})

    async def hashes() -> tuple[str, str]:
        found = [
            (await story.read("/api/v1", "services", name))["spec"]["selector"] for name in ("web-stable", "web-canary")
        ]
        assert all(each["app"] == "web" for each in found)
        return found[0].get(HASH, ""), found[1].get(HASH, "")

    async def are(stable: str, canary: str) -> None:
        async def look() -> bool:
            found = await hashes()
            assert found == (stable, canary), found
            return True

        await eventually(look)

    stable = status["stableRS"]
    await are(stable, stable)
    assert (await story.read("/api/v1", "services", "web-stable"))["metadata"]["annotations"][MANAGED] == "web"
    await story.set_image(BETTER)
    status = await story.reaches("Paused", currentStepIndex=1)
    newer = status["currentPodHash"]
    await are(stable, newer)
    await story.patch_status({"abort": True})
    await story.reaches("Degraded")
    await are(stable, stable)
    await story.patch_status({"abort": False})
    await story.reaches("Paused", currentStepIndex=1)
    await story.resume()
    await story.reaches("Healthy")
    await are(newer, newer)
    await story.tells("SwitchService")


async def test_a_service_that_comes_late_mends_the_rollout(story: Story) -> None:
    canary = {"stableService": "late", "canaryService": "later", "steps": []}
    await story.kubectl.apply(rollout("web", 1, strategy={"canary": canary}))
    status = await story.reaches("Degraded")
    assert "late" in status["message"]
    await story.kubectl.apply([service("late", selector={"app": "web"}), service("later", selector={"app": "web"})])
    await story.reaches("Healthy")


async def test_rubbish_in_the_status_hurts_nobody(story: Story, recorder: Recorder) -> None:
    await story.create(replicas=2)
    await story.kubectl.apply(rollout("other", 1))
    await story.reaches("Healthy", "other")
    await story.patch_status({"currentStepIndex": 99, "stableRS": "nonsense", "currentPodHash": "x", "phase": "Odd"})
    times = {"lastUpdateTime": "2001-01-01T00:00:00Z", "lastTransitionTime": "2001-01-01T00:00:00Z"}
    condition = {"type": "Progressing", "status": "Odd", "reason": "Odd", "message": "", **times}
    await story.patch_status({"conditions": [condition], "observedGeneration": "soon"})
    await story.set_image(BETTER, "other")
    await story.reaches("Healthy", "other")
    await story.comes_to({GOOD: 2})
    await story.patch_status({"promoteFull": True})
    healthy = {"phase": "Healthy", "currentStepIndex": len(STEPS)}
    await story.until(
        lambda status: healthy.items() <= status.items() and status["stableRS"] == status["currentPodHash"]
    )
    await story.comes_to({GOOD: 2})
    del recorder.states[:-1]  # no tool can say anything sensible of rubbish: only the end is judged


async def test_a_rollout_deleted_in_mid_update_can_be_made_anew(story: Story) -> None:
    await story.create(replicas=2)
    await story.set_image(BETTER)
    await story.kubectl("delete", "rollout", "web")
    status = await story.create(replicas=2)
    assert (await story.rollout())["metadata"]["annotations"][REVISION] == "1"
    assert status["currentPodHash"] == status["stableRS"]
    await story.comes_to({GOOD: 2})


async def test_kubectl_explains_a_rollout(story: Story) -> None:
    text = await story.kubectl("explain", "rollout.spec.strategy.canary")
    assert "maxSurge" in text
    assert "steps" in text
    assert "DESCRIPTION" in text
    deeper = await story.kubectl("explain", "rollout.spec.strategy.canary.steps.pause.duration")
    assert "FIELD: duration" in deeper


async def test_an_unknown_field_is_refused_by_kubectl(story: Story) -> None:
    obj = rollout()
    obj["spec"]["strategy"]["canary"]["maxSurg"] = 1
    with pytest.raises(KubectlError, match=r"unknown field .*spec\.strategy\.canary\.maxSurg"):
        await story.kubectl.apply(obj)
    assert not await story.rollout()


async def test_kubectl_shows_rollouts(story: Story) -> None:
    await story.create(replicas=2)
    header, row = (await story.kubectl("get", "ro")).splitlines()
    assert header.split()[:5] == ["NAME", "DESIRED", "CURRENT", "UP-TO-DATE", "AVAILABLE"]
    assert row.split()[:5] == ["web", "2", "2", "2", "2"]
    await story.kubectl.wait("rollout/web", "--for=condition=Healthy")
    await story.tells("ScalingReplicaSet")
    assert "ScalingReplicaSet" in await story.kubectl("describe", "rollout", "web")
