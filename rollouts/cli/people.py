"""What do people do to a simulated Rollout? The very requests that the commands send, written into a world."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jsonpatch
import orjson
from pydantic import ValidationError

from rollouts.api.base import describe
from rollouts.api.rollout import parse_rollout
from rollouts.plan.equality import templates_equal
from rollouts.plan.workload import POD_TEMPLATE, reference_in
from rollouts.sim.course import Asked, PodChoice, Word
from rollouts.sim.director import Deed, People
from rollouts.sim.patching import merged
from rollouts.sim.pods import image_of
from rollouts.sim.world import World
from rollouts.view import fields, requests
from rollouts.view.requests import Nothing, Patch
from rollouts.view.status import PAUSED, shown_status, waiting
from rollouts.view.undo import undo

Raw = Mapping[str, Any]
Done = tuple[str, Callable[[World], None]]

_TOLD = {
    Word.RESUME: "somebody resumes it: pauseConditions are cleared",
    Word.PROMOTE: "somebody promotes it",
    Word.PROMOTE_FULL: "somebody promotes it fully",
    Word.ABORT: "somebody aborts it",
    Word.RETRY: "somebody retries it",
    Word.PAUSE: "somebody pauses it",
    Word.UNDO: "somebody brings the revision before back",
    Word.RESTART: "somebody restarts it",
}


def people() -> People:
    """Return the people of a simulation."""
    return People(act=_act, must_act=must_act)


def must_act(rollout: Raw) -> bool:
    """Tell whether a Rollout waits for a person: it is paused, and no time ends that."""
    reason = waiting(rollout)
    return shown_status(rollout).phase == PAUSED and reason is not None and reason.until is None


def _act(world: World, name: str, deed: Deed) -> Done:
    return _spoken(world, name, deed) if isinstance(deed, Word) else _asked(world, name, deed)


def _spoken(world: World, name: str, word: Word) -> Done:
    rollout = world.rollouts[name]
    if word is Word.UNDO:
        return _undone(world, name, 0)
    if word is Word.RESUME:
        return _TOLD[word], _send(name, [requests.status_patch(pauseConditions=None)])
    answers: dict[Word, Callable[[], requests.Answer]] = {
        Word.PROMOTE: lambda: requests.promote(rollout),
        Word.PROMOTE_FULL: lambda: requests.promote_full(rollout),
        Word.ABORT: lambda: requests.abort(rollout),
        Word.RETRY: lambda: requests.retry(rollout),
        Word.PAUSE: lambda: requests.pause(rollout),
        Word.RESTART: lambda: requests.restart(rollout, world.now, world.now),
    }
    return _answered(name, _TOLD[word], answers[word]())


def _undone(world: World, name: str, revision: int) -> Done:
    rollout, holder = world.rollouts[name], _holder(world, name)
    told = f"somebody brings revision {revision} back" if revision else _TOLD[Word.UNDO]
    path = _template_path(holder)
    answer = undo(
        rollout,
        list(world.replica_sets.values()),
        fields.part(holder, *path),
        revision,
        is_same=templates_equal,
        path="/" + "/".join(path),
    )
    if isinstance(answer, Nothing) or holder is rollout:
        return _answered(name, told, answer)
    restored = _json_patched(holder, answer.patches[0])
    return told, lambda to: to.apply_workload(restored)


def _json_patched(raw: Raw, patch: Patch) -> Raw:
    operations = [] if isinstance(patch.body, Mapping) else list(patch.body)
    patched: Raw = jsonpatch.apply_patch(raw, operations)
    return patched


def _holder(world: World, name: str) -> Raw:
    """Return the object that holds the pod template: the Rollout, or what it refers to."""
    rollout = world.rollouts[name]
    reference = reference_in(rollout)
    return rollout if reference is None else world.workloads[reference.name]


def _template_path(holder: Raw) -> tuple[str, ...]:
    return ("template",) if holder.get("kind") == POD_TEMPLATE else ("spec", "template")


def _answered(name: str, told: str, answer: requests.Answer) -> Done:
    if isinstance(answer, Nothing):
        return f"{told}: in vain, for it {answer.why}", lambda _: None
    return told, _send(name, answer.patches)


def _send(name: str, patches: Iterable[Patch]) -> Callable[[World], None]:
    def do(world: World) -> None:
        for patch in patches:
            if isinstance(patch.body, Mapping) and patch.subresource == "status":
                world.patch_status(name, patch.body["status"])
            elif isinstance(patch.body, Mapping):
                world.patch_rollout(name, patch.body)
            else:
                world.apply_rollout(_json_patched(world.rollouts[name], patch))

    return do


def _asked(world: World, name: str, asked: Asked) -> Done:
    field = next(iter(asked.model_fields_set))
    value = getattr(asked, field)
    deeds: dict[str, Callable[[], Done]] = {
        "set_image": lambda: _image_set(world, name, value),
        "patch_spec": lambda: _spec_patched(world, name, value),
        "patch_status": lambda: (f"status is patched: {_short(value)}", _send(name, [requests.status_patch(**value)])),
        "scale": lambda: (f"it is scaled to {_pods(value)}", _send(name, [requests.spec_patch(replicas=value)])),
        "undo": lambda: _undone(world, name, value),
        "delete_pods": lambda: _pods_deleted(world, value),
        "apply": lambda: _applied(value),
    }
    return deeds[field]()


def _spec_patched(world: World, name: str, patch: Raw) -> Done:
    told = f"spec is patched: {_short(patch)}"
    try:
        parse_rollout(merged(world.rollouts[name], {"spec": patch}))
    except ValidationError as error:
        return f"{told}: in vain, for the API server refuses it: {describe(error)}", lambda _: None
    return told, _send(name, [requests.spec_patch(**patch)])


def _image_set(world: World, name: str, images: str | Mapping[str, str]) -> Done:
    wanted = {"*": images} if isinstance(images, str) else images
    holder = _holder(world, name)
    path = _template_path(holder)
    result = requests.set_images(fields.part(holder, *path), wanted)
    told = ", ".join(image if container == "*" else f"{container}={image}" for container, image in wanted.items())
    if result.unknown:
        unknown = ", ".join(result.unknown)
        return f"the image {told} is set: in vain, for there is no container {unknown}", lambda _: None
    patch: Raw = result.template
    for key in reversed(path):
        patch = {key: patch}
    if holder is world.rollouts[name]:
        return f"the image becomes {told}", lambda to: to.patch_rollout(name, patch)
    said = f"the image of {holder['kind']} {fields.name_of(holder)} becomes {told}"
    return said, lambda to: to.patch_workload(fields.name_of(holder), patch)


def _applied(manifest: Raw) -> Done:
    if manifest.get("kind") == "Rollout":
        return f"the changed manifest is applied: {_images(manifest)}", lambda to: to.apply_rollout(manifest)
    told = f"the changed {manifest['kind']} is applied: {_images(manifest)}"
    return told, lambda to: to.apply_workload(manifest)


def _pods_deleted(world: World, chosen: PodChoice) -> Done:
    owners = [each for each in world.replica_sets.values() if image_of(each["spec"]["template"]) == chosen.image]
    names = [pod.name for owner in owners for pod in world.pods_of(owner)][: chosen.count]
    return f"{_pods(len(names))} of {chosen.image} are deleted", lambda to: to.delete_pods(names)


def _pods(count: int) -> str:
    return f"{count} pod" if count == 1 else f"{count} pods"


def _images(manifest: Raw) -> str:
    containers = fields.items(manifest, *_template_path(manifest), "spec", "containers")
    return ", ".join(dict.fromkeys(str(each.get("image", "")) for each in containers)) or "the same images"


def _short(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= 100 else f"{text[:97]}..."
