"""Do pods show the metadata of their role on a real API server, whatever happens between a template and its pods?"""

from typing import Any

import pytest

from e2e.conftest import StartController
from e2e.kubectl import KubectlError
from e2e.stories.story import BETTER, GOOD, HASH, Json, Story
from e2e.waiting import eventually

PENDING = "rollout.argoproj.io/pending-metadata"
ROLES: Json = {
    "canaryMetadata": {"labels": {"role": "canary"}, "annotations": {"example.test/watch": "closely"}},
    "stableMetadata": {"labels": {"role": "stable"}},
    "antiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 50}},
}
STEPS: list[Json] = [{"setWeight": 50}, {"pause": {}}]
WATCHED = "example.test/watch"


def image_of(raw: Json) -> str:
    image: str = raw["spec"]["containers"][0]["image"]
    return image


async def shown(story: Story) -> list[tuple[str, Any, Any]]:
    """Return what each pod shows: its image, its role, and whether it is watched."""
    return sorted(
        (image_of(pod), pod["metadata"]["labels"].get("role"), pod["metadata"].get("annotations", {}).get(WATCHED))
        for pod in await story.pods()
    )


async def shows(story: Story, *wanted: tuple[str, Any, Any]) -> None:
    async def look() -> bool:
        found = await shown(story)
        assert found == sorted(wanted), found
        return True

    await eventually(look, what="the metadata of pods")


async def template_of(story: Story, image: str) -> Json:
    return next(
        each["spec"]["template"]
        for each in await story.replica_sets()
        if image_of(each["spec"]["template"]) == image
    )  # fmt: skip


async def nothing_is_pending(story: Story) -> None:
    async def look() -> bool:
        pending = [each["metadata"]["name"] for each in await story.replica_sets() if PENDING in annotations(each)]
        assert not pending, pending
        return True

    await eventually(look)


def annotations(raw: Json) -> Json:
    return raw["metadata"].get("annotations") or {}


def refusing(namespace: str) -> list[Json]:
    """Return an admission policy that refuses any change of a pod's labels in a namespace."""
    name, kind = f"labels-{namespace}", "admissionregistration.k8s.io/v1"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["pods"]}
    expression = "object.metadata.labels == oldObject.metadata.labels"
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return [
        {
            "apiVersion": kind,
            "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": name},
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": [rule], "namespaceSelector": selector},
                "validations": [{"expression": expression, "message": "labels are what they are"}],
            },
        },
        {
            "apiVersion": kind,
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": name},
            "spec": {"policyName": name, "validationActions": ["Deny"]},
        },
    ]


async def refuses(story: Story) -> None:
    """Wait until the policy is in force: API servers take a moment."""

    async def look() -> bool:
        (pod, *_) = await story.pods()
        try:
            await story.kubectl("label", "pod", pod["metadata"]["name"], "tried=once", "--dry-run=server")
        except KubectlError as error:
            return "labels are what they are" in str(error)
        return False

    await eventually(look)


async def test_pods_show_their_role_and_keep_away_from_stable_nodes(story: Story) -> None:
    await story.create(replicas=2, strategy={"canary": {**ROLES, "steps": STEPS}})
    await shows(story, *[(GOOD, "stable", None)] * 2)
    await story.set_image(BETTER)
    await story.reaches("Paused")
    await shows(story, (GOOD, "stable", None), (BETTER, "canary", "closely"))
    stable_hash = (await template_of(story, GOOD))["metadata"]["labels"][HASH]
    (term,) = (await template_of(story, BETTER))["spec"]["affinity"]["podAntiAffinity"][
        "preferredDuringSchedulingIgnoredDuringExecution"
    ]
    assert term["weight"] == 50
    assert term["podAffinityTerm"] == {
        "labelSelector": {"matchExpressions": [{"key": HASH, "operator": "In", "values": [stable_hash]}]},
        "namespaces": [story.namespace],
        "topologyKey": "kubernetes.io/hostname",
    }
    before = {pod["metadata"]["uid"] for pod in await story.pods() if image_of(pod) == BETTER}
    await story.resume()
    await story.reaches("Healthy")
    await shows(story, *[(BETTER, "stable", None)] * 2)
    assert before <= {pod["metadata"]["uid"] for pod in await story.pods()}, "pods are patched, not replaced"
    await nothing_is_pending(story)
    assert "affinity" not in (await template_of(story, BETTER))["spec"]
    await story.cli("undo", "web")
    await story.reaches("Paused")
    sets = await story.replica_sets()
    assert len(sets) == 2, "the first revision is used again: nothing of a role has become the user's"
    assert (await story.rollout())["spec"]["template"]["metadata"]["labels"] == {"app": "web"}


@pytest.mark.timeout(300)
async def test_a_refusal_and_a_crash_between_a_template_and_its_pods_are_made_up_for(
    watcher: Story, start_controller: StartController
) -> None:
    story = watcher
    controller = await start_controller("--namespace", story.namespace, "--no-leader-elect")
    await story.create(replicas=3, strategy={"canary": {**ROLES, "steps": STEPS}})
    await story.set_image(BETTER)
    await story.reaches("Paused")
    await story.kubectl.apply(refusing(story.namespace))
    try:
        await refuses(story)
        await story.resume()
        await story.reaches("Healthy")  # no rollout waits for it

        async def is_told() -> bool:
            return "PodMetadataError" in await story.events()

        await eventually(is_told)
        (current,) = [each for each in await story.replica_sets() if each["spec"]["replicas"]]
        assert current["spec"]["template"]["metadata"]["labels"]["role"] == "stable"
        assert PENDING in annotations(current)
        old = [each for each in await shown(story) if each[1] == "canary"]
        assert old, "pods from before the promotion are still the canary's"
        assert "metadata" in await story.cli("explain", "web")
        controller.kill()
    finally:
        for each in refusing(story.namespace):
            await story.kubectl("delete", each["kind"], each["metadata"]["name"])
    controller.start()
    await shows(story, *[(BETTER, "stable", None)] * 3)
    await nothing_is_pending(story)
