"""In which state is a container that plays its script, and when does that change?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from rollouts.api.timestamps import format_time

if TYPE_CHECKING:
    from datetime import datetime

    from rollouts.devcluster.objects import Object
    from rollouts.devcluster.scripts import Script

CREATING, PULL_FAILED, PULL_BACK_OFF = "creating", "pull failed", "pull back-off"
RUNNING, BACK_OFF, EXITED = "running", "back-off", "exited"
_MOST_BACK_OFF = 300.0


@dataclass(slots=True)
class Container:
    """A container that plays its script."""

    name: str
    image: str
    script: Script
    restart_policy: str
    back_off: float  # seconds before the first restart; doubled at each
    since: datetime
    state: str = CREATING
    restarts: int = 0
    ended: Object | None = None

    def advance(self, now: datetime) -> datetime | None:
        """Play until `now`; return when the next change is due."""
        while True:
            due = self._due()
            if due is None or due > now:
                return self._ready_at(now, due)
            self._step(due)

    def _due(self) -> datetime | None:
        script = self.script
        waits = {
            CREATING: script.start,
            PULL_FAILED: max(script.start, 0.1),
            RUNNING: script.exit_after,
            BACK_OFF: min(self.back_off * 2**self.restarts, _MOST_BACK_OFF),
        }
        wait = waits.get(self.state)
        return None if wait is None else self.since + timedelta(seconds=wait)

    def _ready_at(self, now: datetime, due: datetime | None) -> datetime | None:
        after = self.script.ready_after
        if self.state != RUNNING or after is None:
            return due
        ready = self.since + timedelta(seconds=after)
        if ready <= now:
            return due
        return ready if due is None else min(ready, due)

    def _step(self, when: datetime) -> None:
        started, self.since = self.since, when
        if self.state == CREATING:
            self.state = RUNNING if self.script.is_pulled else PULL_FAILED
        elif self.state == PULL_FAILED:
            self.state = PULL_BACK_OFF
        elif self.state == RUNNING:
            self._exit(started, when)
        else:
            self.state = RUNNING
            self.restarts += 1

    def _exit(self, started: datetime, when: datetime) -> None:
        code = self.script.exit_code
        self.ended = {
            "exitCode": code,
            "reason": "Completed" if code == 0 else "Error",
            "startedAt": format_time(started),
            "finishedAt": format_time(when),
        }
        restarts = self.restart_policy == "Always" or (self.restart_policy == "OnFailure" and code != 0)
        self.state = BACK_OFF if restarts else EXITED

    def is_ready(self, now: datetime) -> bool:
        """Say whether the container is ready."""
        after = self.script.ready_after
        return self.state == RUNNING and after is not None and self.since + timedelta(seconds=after) <= now

    def has_started(self) -> bool:
        """Say whether the container ran at least once."""
        return self.state in {RUNNING, BACK_OFF, EXITED}

    def status(self, now: datetime, *, forced_unready: bool) -> Object:
        """Return the container's status as a pod carries it."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": f"devcluster://{self.image}" if self.has_started() else "",
            "restartCount": self.restarts,
            "ready": self.is_ready(now) and not forced_unready,
            "started": self.state == RUNNING,
            "state": self._state(),
            "lastState": {"terminated": self.ended} if self.ended and self.state != EXITED else {},
        }

    def _state(self) -> Object:
        match self.state:
            case "running":
                return {"running": {"startedAt": format_time(self.since)}}
            case "exited":
                return {"terminated": self.ended}
            case "pull failed":
                text = f'failed to pull image "{self.image}": the dev cluster never pulls it'
                return {"waiting": {"reason": "ErrImagePull", "message": text}}
            case "pull back-off":
                text = f'Back-off pulling image "{self.image}"'
                return {"waiting": {"reason": "ImagePullBackOff", "message": text}}
            case "back-off":
                wait = min(self.back_off * 2**self.restarts, _MOST_BACK_OFF)
                text = f"back-off {wait:g}s restarting failed container={self.name}"
                return {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
        return {"waiting": {"reason": "ContainerCreating"}}
