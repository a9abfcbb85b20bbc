"""What can a person ask of a Rollout, and which patch asks for it? The verbs, without sending anything.

Every request is a pure function of the raw Rollout. It returns a Change, or says why there is nothing to change. The
patches are the API's protocol: any client that can patch can ask the same.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from rollouts.api.timestamps import format_time
from rollouts.view import fields
from rollouts.view.fields import Raw
from rollouts.view.status import COMPLETED, is_invalid
from rollouts.view.steps import steps_of


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch of the Rollout (or of the workload that it refers to), as the API server takes it."""

    body: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    type: Literal["merge", "json"] = "merge"
    subresource: Literal["", "status"] = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What to send, and what may be said once it is done: `said` completes "rollout 'x' ..."."""

    patches: tuple[Patch, ...]
    said: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing to send: `why` completes "rollout 'x' ...". `is_refusal` unless what was asked for is so already."""

    why: str
    is_refusal: bool = field(default=True)


Answer = Change | Nothing


def status_patch(**status: Any) -> Patch:
    """Return a merge patch of the status subresource."""
    return Patch({"status": status}, subresource="status")


def spec_patch(**spec: Any) -> Patch:
    """Return a merge patch of the spec."""
    return Patch({"spec": spec})


def kubectl_line(patch: Patch, name: str, namespace: str, resource: str = "rollout") -> str:
    """Return the command that sends the same patch without us."""
    words = ["kubectl", "patch", resource, name, "-n", namespace]
    if patch.subresource:
        words.append(f"--subresource={patch.subresource}")
    words += [f"--type={patch.type}", "-p", json.dumps(patch.body, separators=(",", ":"))]
    return shlex.join(words)


def _unpause(rollout: Raw) -> tuple[Patch, ...]:
    return (spec_patch(paused=False),) if fields.part(rollout, "spec").get("paused") else ()


def _index(rollout: Raw) -> int:
    index = fields.part(rollout, "status").get("currentStepIndex")
    return index if isinstance(index, int) else 0


def _step_is_inconclusive(rollout: Raw) -> bool:
    run = fields.part(rollout, "status", "canary", "currentStepAnalysisRunStatus")
    return run.get("status") == "Inconclusive" and bool(fields.part(rollout, "status").get("pauseConditions"))


def _go_on(rollout: Raw) -> tuple[tuple[Patch, ...], str]:
    """Clear the pause, or pass over the step in progress: never both, unless the step's analysis was inconclusive."""
    steps, index = steps_of(rollout), _index(rollout)
    following = min(index + 1, len(steps))
    if fields.is_canary(rollout) and _step_is_inconclusive(rollout):
        return (status_patch(pauseConditions=None, controllerPause=False, currentStepIndex=following),), "promoted"
    if fields.part(rollout, "status").get("pauseConditions"):
        return (status_patch(pauseConditions=None),), "promoted"
    if index < len(steps) and not fields.is_promoted(rollout):
        said = f"promoted: step {following} of {len(steps)} is skipped"
        return (status_patch(pauseConditions=None, currentStepIndex=following),), said
    return (), "promoted"


def promote(rollout: Raw) -> Answer:
    """Go on: end the pause, or skip the step in progress."""
    if fields.is_aborted(rollout):
        return Nothing("is aborted: start the update again with retry, or promote it with --full")
    if is_invalid(rollout):
        return Nothing("has an invalid spec, so that nothing goes on: `rollouts explain` says what to change")
    patches, said = _go_on(rollout)
    patches = (*_unpause(rollout), *patches)
    if patches:
        return Change(patches, said)
    if fields.is_promoted(rollout):
        return Nothing("is fully promoted already: there is nothing to promote", is_refusal=False)
    if fields.is_blue_green(rollout):
        return Nothing(
            "is not paused: its preview is not complete yet, or being switched to; --full goes on without a pause"
        )
    return Nothing("is not paused and has no step to skip: it goes on by itself, or use --full")


def promote_full(rollout: Raw) -> Answer:
    """Skip all that is left: steps, pauses and analysis."""
    status = fields.part(rollout, "status")
    is_done = status.get("currentPodHash") == status.get("stableRS")
    patches = (*_unpause(rollout), *(() if is_done else (status_patch(promoteFull=True),)))
    if not patches:
        return Nothing("is fully promoted already: there is nothing to promote", is_refusal=False)
    return Change(patches, "resumed: it was fully promoted already" if is_done else "fully promoted")


def skip_steps(rollout: Raw, *, all_steps: bool) -> Answer:
    """Move the step index by one, or past the last step."""
    steps = steps_of(rollout)
    if not fields.is_canary(rollout) or not steps:
        return Nothing("has no canary steps: there is nothing to skip")
    if _index(rollout) >= len(steps):
        return Nothing("has no step left: there is nothing to skip", is_refusal=False)
    index = len(steps) if all_steps else _index(rollout) + 1
    patch = status_patch(pauseConditions=None, currentStepIndex=index)
    return Change((*_unpause(rollout), patch), f"promoted: it goes on behind step {index} of {len(steps)}")


def abort(rollout: Raw) -> Answer:
    """Go back to the stable pods."""
    is_held = bool(fields.part(rollout, "spec").get("paused"))
    if fields.is_aborted(rollout) and not is_held:
        return Nothing("is aborted already", is_refusal=False)
    if not fields.part(rollout, "status").get("stableRS"):
        return Nothing("has no stable revision to go back to: its first deployment can't be aborted, only changed")
    if fields.is_promoted(rollout) and fields.is_observed(rollout):
        return Nothing("has no update in progress: there is nothing to abort (undo brings back an earlier revision)")
    if is_held:
        # Nothing is scaled while spec.paused holds: whoever aborts wants the stable pods back now.
        return Change((spec_patch(paused=False), status_patch(abort=True)), "aborted, and no longer paused by its spec")
    return Change((status_patch(abort=True),), "aborted")


def retry(rollout: Raw) -> Answer:
    """Start an aborted update again, at its first step."""
    if not fields.is_aborted(rollout):
        return Nothing("is not aborted: there is nothing to retry")
    return Change((status_patch(abort=False),), "retried")


def pause(rollout: Raw) -> Answer:
    """Hold everything by hand."""
    if fields.part(rollout, "spec").get("paused"):
        return Nothing("is paused already", is_refusal=False)
    return Change((spec_patch(paused=True),), "paused")


def retry_experiment(experiment: Raw) -> Answer:
    """Begin an experiment again that has ended, as if it had never run."""
    if fields.part(experiment, "status").get("phase") not in COMPLETED:
        return Nothing("has not ended: there is nothing to retry")
    # One that was terminated would end at once again.
    lifted = {"spec": {"terminate": False}} if fields.part(experiment, "spec").get("terminate") is True else {}
    return Change((Patch({**lifted, "status": None}),), "retried")


def terminate(child: Raw) -> Answer:
    """End an analysis run or an experiment now; its verdict is what has been found so far."""
    phase = str(fields.part(child, "status").get("phase") or "")
    if phase in COMPLETED:
        return Nothing(f"has ended already: it is {phase}", is_refusal=False)
    if fields.part(child, "spec").get("terminate") is True:
        return Nothing("is being terminated already", is_refusal=False)
    return Change((spec_patch(terminate=True),), "terminated")


def restart(rollout: Raw, at: datetime, now: datetime) -> Answer:
    """Have all pods that are older than `at` replaced.

    Kubernetes tells times in whole seconds: rounded down, `at` would spare the pods of its own second.
    """
    if is_invalid(rollout):
        return Nothing("has an invalid spec, so that nothing is restarted: `rollouts explain` says what to change")
    text = format_time(at + timedelta(microseconds=999_999))
    return Change((spec_patch(restartAt=text),), f"restarts at {text}" if at > now else "restarted")


@dataclass(frozen=True, slots=True)
class ImagesSet:
    """A pod template with other images; `unknown` names the containers that it doesn't have."""

    template: dict[str, Any]
    changed: tuple[str, ...]
    unknown: tuple[str, ...]
    known: tuple[str, ...]


def set_images(template: Raw, images: Mapping[str, str]) -> ImagesSet:
    """Return the template with the images by container name; `*` means every container, of all three kinds."""
    spec = dict(fields.part(template, "spec"))
    names: list[str] = []
    changed: list[str] = []
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        containers = fields.items(spec, kind)
        if not containers:
            continue
        written = []
        for container in containers:
            name = str(container.get("name", ""))
            names.append(name)
            image = images.get(name, images.get("*", container.get("image")))
            if image != container.get("image"):
                changed.append(name)
            written.append({**container, "image": image})
        spec[kind] = written
    unknown = tuple(name for name in images if name != "*" and name not in names)
    return ImagesSet({**template, "spec": spec}, tuple(changed), unknown, tuple(names))
