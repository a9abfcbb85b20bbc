"""What does a person ask for when migrating? The strategy, its steps, where the pod template is to live."""

from dataclasses import dataclass
from enum import StrEnum

from rollouts.api.durations import parse_pause
from rollouts.migrate.objects import ConversionError, Json

_STEP_FORMS = "write weights from 0 to 100, `pause` and `pause:DURATION`, as in 20,pause,50,pause:10m"


class StrategyName(StrEnum):
    """How the Rollout is to change its pods."""

    CANARY = "canary"
    BLUE_GREEN = "bluegreen"


class ScaleDown(StrEnum):
    """When a Deployment that is referred to loses its own pods."""

    NEVER = "never"
    ON_SUCCESS = "onsuccess"
    PROGRESSIVELY = "progressively"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. Without `workload_ref` the pod template moves into the Rollout."""

    strategy: StrategyName = StrategyName.CANARY
    steps: tuple[Json, ...] = ()
    active_service: str = ""
    preview_service: str = ""
    workload_ref: ScaleDown | None = None
    keeps_deployment: bool = False
    is_reverse: bool = False

    @property
    def is_scaled_down_for_us(self) -> bool:
        """Whether the controller scales the Deployment down."""
        return self.workload_ref in (ScaleDown.ON_SUCCESS, ScaleDown.PROGRESSIVELY)

    def check(self) -> None:
        """Raise ConversionError where the wishes don't go together."""
        if self.is_reverse and (self.steps or self.active_service or self.preview_service or self.workload_ref):
            raise ConversionError("steps, Services and --workload-ref are a Rollout's: leave them out with --reverse")
        if self.strategy is StrategyName.BLUE_GREEN:
            if self.steps:
                raise ConversionError("steps belong to the canary strategy: leave them out, or ask for canary")
            if not self.active_service:
                raise ConversionError("blue-green switches a Service: name it with --active-service")
            if self.active_service == self.preview_service:
                raise ConversionError(
                    f"{self.active_service!r} can't be both active and preview Service: name two Services"
                )
        elif self.active_service or self.preview_service:
            raise ConversionError("active and preview Services belong to --strategy bluegreen")


def parse_steps(text: str) -> tuple[Json, ...]:
    """Read canary steps as people type them: `20,pause,50,pause:10m`. Raises ConversionError."""
    return tuple(_step(word.strip(), text) for word in text.split(",")) if text.strip() else ()


def _step(word: str, text: str) -> Json:
    verb, colon, duration = word.partition(":")
    if verb == "pause":
        if not colon:
            return {"pause": {}}
        try:
            parse_pause(duration)
        except ValueError as error:
            raise ConversionError(f"{word!r} in the steps {text!r}: {error}") from error
        return {"pause": {"duration": duration}}
    number = word.removesuffix("%")
    if number.isascii() and number.isdecimal() and len(number) <= 3 and int(number) <= 100:
        return {"setWeight": int(number)}
    raise ConversionError(f"{word!r} in the steps {text!r} is no step: {_STEP_FORMS}")
