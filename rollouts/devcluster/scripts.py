"""What does a pod's container do in this cluster? Told by its image, its command and the pod's annotations.

docs/reference/devcluster.md is the user's view of these conventions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rollouts.api.durations import parse_duration

if TYPE_CHECKING:
    from rollouts.devcluster.objects import Object

READY_AFTER = "devcluster/ready-after"
EXIT_AFTER = "devcluster/exit-after"
EXIT_CODE = "devcluster/exit-code"
STOP_AFTER = "devcluster/stop-after"
UNREADY = "devcluster/unready"
HANDS_OFF = "devcluster/hands-off"

SLOW = 5.0  # seconds until a container of a `slow` image is ready
CRASH_AFTER = 0.2  # seconds that a container of a `crash` image runs
_NEVER_PULLED = re.compile(r"never-pull|missing|does-not-exist")
_CRASHES = re.compile(r"crash")
_EXITS = re.compile(r"exit-(\d+)")
_NEVER_READY = re.compile(r"never-ready|unready")
_EXIT_COMMAND = re.compile(r"\bexit\s+(\d+)")
_SLEEP_COMMAND = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Script:
    """The part that a container plays. Times are seconds; None is never."""

    is_pulled: bool = True
    start: float = 0.3  # from scheduled to running
    ready_after: float | None = 0.0  # from running to ready
    exit_after: float | None = None  # from running to exited
    exit_code: int = 0


def seconds(text: str, otherwise: float | None) -> float | None:
    """Read a duration such as 2s; `never` is None, nonsense is ignored."""
    if text == "never":
        return None
    try:
        return parse_duration(text).total_seconds()
    except ValueError:
        return otherwise


def _from_command(container: Object) -> tuple[float | None, int]:
    words = [*(container.get("command") or []), *(container.get("args") or [])]
    text = " ".join(words)
    program = words[0].rpartition("/")[2] if words else ""
    slept = _SLEEP_COMMAND.search(text)
    exits = _EXIT_COMMAND.search(text)
    after = float(slept[1]) if slept else 0.0
    if exits:
        return after, int(exits[1])
    if program in {"true", "false"}:
        return 0.0, 0 if program == "true" else 1
    return (after, 0) if slept else (None, 0)


def script_of(container: Object, annotations: dict[str, str], start: float) -> Script:
    """Return a container's part. Annotations win over the command, the command wins over the image."""
    image = container.get("image", "").lower()
    ready_after: float | None = 0.0
    exit_after, exit_code = _from_command(container)
    if exit_after is None:
        if found := _EXITS.search(image):
            exit_after, exit_code = CRASH_AFTER, int(found[1])
        elif _CRASHES.search(image):
            exit_after, exit_code = CRASH_AFTER, 1
    if exit_after is not None and exit_after <= CRASH_AFTER:
        ready_after = None
    if _NEVER_READY.search(image):
        ready_after = None
    elif "slow" in image:
        ready_after = SLOW
    if EXIT_CODE in annotations and annotations[EXIT_CODE].isdecimal():
        exit_after = CRASH_AFTER if exit_after is None else exit_after
        exit_code = int(annotations[EXIT_CODE])
        ready_after = None
    if EXIT_AFTER in annotations:
        exit_after = seconds(annotations[EXIT_AFTER], exit_after)
        ready_after = 0.0
    if READY_AFTER in annotations:
        ready_after = seconds(annotations[READY_AFTER], ready_after)
    return Script(
        is_pulled=not _NEVER_PULLED.search(image),
        start=start,
        ready_after=ready_after,
        exit_after=exit_after,
        exit_code=exit_code,
    )


def init_script(container: Object, start: float) -> Script:
    """Return an init container's part: it ends well at once unless told otherwise."""
    script = script_of(container, {}, start)
    after = 0.0 if script.exit_after is None else script.exit_after
    return Script(script.is_pulled, start, None, after, script.exit_code)
