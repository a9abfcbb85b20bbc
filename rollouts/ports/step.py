"""What is a canary step: which wishes does it hold, and when does it let the rollout go on?

A step is stateless. The planner folds `hold` over the steps up to the current one to learn what is wished for now, and
asks the current step's `gate` whether the rollout may go on to the next. Both are pure functions of what they are
given; a step never writes anything. One that must ask somebody else is a CalledStep.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from rollouts.api.analysis import RolloutAnalysis
from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.api.experiment import RolloutExperiment

if TYPE_CHECKING:
    from rollouts.ports.called import Answer

Spec = TypeVar("Spec")


@dataclass(frozen=True, slots=True)
class Scale:
    """An explicit canary size that overrides what the weight asks for: one of the two is set.

    `replicas` is a number of pods, `weight` a share of `spec.replicas` in percent.
    """

    replicas: int | None = None
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the steps up to the current one ask for, together.

    `weight` is the canary's share of the traffic, from 0 to the rollout's maximum weight (100 unless configured).
    `header_routes` and `mirrors` are the managed routes that send requests to the canary whatever its weight, each name
    once.
    """

    weight: int = 0
    scale: Scale | None = None
    header_routes: tuple[SetHeaderRoute, ...] = ()
    mirrors: tuple[SetMirrorRoute, ...] = ()

    def without_route(self, name: str) -> "Wishes":
        """Return the wishes without the managed route of this name."""
        return replace(
            self,
            header_routes=tuple(each for each in self.header_routes if each.name != name),
            mirrors=tuple(each for each in self.mirrors if each.name != name),
        )


@dataclass(frozen=True, slots=True)
class Check:
    """How far something is that the step has set going and that decides about it: an analysis run, or an experiment.

    `phase` is empty until it has begun; `because` says in words what it waits for, or how it ended. `is_stuck` tells
    that nothing comes of it as things are.
    """

    phase: str
    because: str
    is_stuck: bool = False


@dataclass(frozen=True, slots=True)
class Here:
    """The facts that a gate may look at.

    `unmet` says in words what still keeps the ReplicaSets from the sizes that the step asks for; it is empty when
    they are there. `unrouted` says what keeps a traffic router from the weight that is wished for, `unmanaged` what
    keeps it from the managed routes; both are empty without a router, too. `paused_since` is when the pause of the
    current step began, `resumed` whether somebody has ended it. `answer` is what came of the latest call, for a step
    that is called.
    `check` is how far the step's analysis or experiment is, None before it has been set going.
    """

    unmet: str = ""
    paused_since: datetime | None = None
    resumed: bool = False
    unrouted: str = ""
    unmanaged: str = ""
    answer: "Answer | None" = None
    check: Check | None = None

    def checked(self, begins: str) -> "Gate":
        """Return the gate of a step that waits for its `check` to succeed; `begins` is said before there is one."""
        if self.check is None:
            return Shut(begins, patient=True)
        if self.check.phase == "Successful":
            return Open(self.check.because)
        return Shut(self.check.because, patient=not self.check.is_stuck)


@dataclass(frozen=True, slots=True)
class Open:
    """The step is complete; `because` says why in a few words."""

    because: str


@dataclass(frozen=True, slots=True)
class Shut:
    """The step is not complete yet.

    `until` is when to look again, if time alone can open it. `pauses` asks for a pause condition on the Rollout, which
    a person can clear. `patient` is true for a wait that is not the pods' fault: the progress deadline stands still.
    """

    because: str
    until: datetime | None = None
    pauses: bool = False
    patient: bool = False


Gate = Open | Shut


class Step(ABC, Generic[Spec]):
    """One kind of canary step.

    `key` is its field in `spec.strategy.canary.steps[]` or, for one that the API doesn't know, its name in
    `plugin: {name, config}`; its entry point (group `rollouts.steps`) has the same name. `model` reads what stands in
    `config`; without one `config` comes as it is.
    """

    key: ClassVar[str]
    model: ClassVar[type[BaseModel] | None] = None

    def problems(self, spec: Spec, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        """Yield (path below the step's key, what is wrong and the way out) for each part of `spec` that can't work.

        For a plugin the path begins below `config`. `max_weight` is the largest legal weight, `routed`
        whether the canary has a traffic router.
        """
        del spec, max_weight, routed
        yield from ()

    def hold(self, wishes: Wishes, spec: Spec) -> Wishes:
        """Return the wishes once this step has begun: `wishes` come from the steps before it."""
        del spec
        return wishes

    def analysis(self, spec: Spec) -> RolloutAnalysis | None:
        """Return the analysis that the step waits for: its run is made while the step is the current one."""
        del spec
        return None

    def experiment(self, spec: Spec) -> RolloutExperiment | None:
        """Return the experiment that the step waits for: it is made while the step is the current one."""
        del spec
        return None

    @abstractmethod
    def gate(self, spec: Spec, here: Here, now: datetime) -> Gate:
        """Say whether the rollout may go on to the next step, and why."""

    def title(self, spec: Spec) -> str:
        """Return the step in a few words, as events show it, for example `setWeight: 20`."""
        del spec
        return f"plugin: {self.key}"


AnyStep = Step[Any]
