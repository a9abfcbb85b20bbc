"""`pause: {}` and `pause: {duration: 10m}`: who ends this pause, and when?"""

from collections.abc import Iterator
from datetime import datetime

from rollouts.api.canary import RolloutPause
from rollouts.api.durations import format_duration, parse_pause
from rollouts.api.timestamps import format_time
from rollouts.ports import Gate, Here, Open, Shut, Step


class Pause(Step[RolloutPause]):
    """Holds the rollout until somebody clears the pause condition or, with a duration, until time has passed."""

    key = "pause"

    def problems(self, spec: RolloutPause, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        del max_weight, routed
        if spec.duration is not None:
            try:
                parse_pause(spec.duration)
            except ValueError as error:
                yield "duration", str(error)

    def gate(self, spec: RolloutPause, here: Here, now: datetime) -> Gate:
        if here.resumed and here.paused_since is None:
            return Open("the pause was cleared")
        if spec.duration is None:
            return Shut("the pause has no duration: promote to go on", pauses=True, patient=True)
        length = parse_pause(spec.duration)
        end = (here.paused_since or now) + length
        if now >= end:
            return Open(f"the pause of {format_duration(length)} is over")
        return Shut(
            f"the pause of {format_duration(length)} ends at {format_time(end)}", end, pauses=True, patient=True
        )

    def title(self, spec: RolloutPause) -> str:
        if spec.duration is None:
            return "pause"
        text = str(spec.duration)
        return f"pause: {text}s" if text.isdigit() else f"pause: {text}"
