"""What is a step that asks somebody else, a service or a person, whether the rollout may go on?

It does no I/O itself. Like a metric provider's, its `run` is a generator of requests: it yields one, is sent the
response, and returns an Answer. What it wants to be reminded of at the next call lies in the Rollout's status, so it
survives the controller. A call may be made twice: the one before may have been lost on its way into the status.
"""

from abc import abstractmethod
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

from rollouts.ports.provider import Request, Response, SecretRef
from rollouts.ports.step import Gate, Here, Open, Shut, Step

Spec = TypeVar("Spec")

Operation = Literal["Run", "Terminate", "Abort"]
Phase = Literal["Running", "Successful", "Failed", "Error"]

RUNNING: Phase = "Running"
SUCCESSFUL: Phase = "Successful"
FAILED: Phase = "Failed"
ERROR: Phase = "Error"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a call.

    Running: call again, after `again_after` or else after half a minute. Successful: the step is complete. Failed: the
    update is aborted, with the message as the cause. Error: nobody knows, try again. `status` is what the step wants to
    be reminded of at its next call; None keeps what it was reminded of before.
    """

    phase: Phase
    message: str = ""
    again_after: timedelta | None = None
    status: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What a called step gets to know besides its spec.

    `rollout` is the Rollout as it stands in the API, `index` the step's place in it, counted from 0. `status` is what
    the step has last asked to be reminded of. `secrets` and `settings` are as a metric provider gets them.
    """

    now: datetime
    rollout: Mapping[str, Any] = field(default_factory=dict, repr=False)
    index: int = 0
    status: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[SecretRef, Mapping[str, str] | None] = field(default_factory=dict, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)


CallFlow = Generator[Request, Response, Answer]


class CalledStep(Step[Spec]):
    """A step of the kind `plugin: {name, config}` that is called, again and again, until it is done.

    `terminate` is called when somebody has moved on while it was running, `abort` when the update is given up after it
    has run. Both may be tried again if they end in an Error.
    """

    def secrets_of(self, spec: Spec, namespace: str) -> tuple[SecretRef, ...]:
        """Name the Secrets that the flows need, for a Rollout in a namespace."""
        del spec, namespace
        return ()

    @abstractmethod
    def run(self, spec: Spec, here: Situation) -> CallFlow:
        """Yield requests, be sent their responses, return how it stands."""

    def terminate(self, spec: Spec, here: Situation) -> CallFlow:
        """Stop what `run` has begun and not ended; by default there is nothing to stop."""
        del spec, here
        yield from ()
        return Answer(SUCCESSFUL)

    def abort(self, spec: Spec, here: Situation) -> CallFlow:
        """Undo what `run` has done, as far as that needs undoing; by default nothing does."""
        del spec, here
        yield from ()
        return Answer(SUCCESSFUL)

    def gate(self, spec: Spec, here: Here, now: datetime) -> Gate:
        """Open once `run` has been Successful. Whoever it asks takes their time: the progress deadline stands still."""
        del spec, now
        answer = here.answer
        if answer is None:
            return Shut("it hasn't answered yet", patient=True)
        if answer.phase == SUCCESSFUL:
            return Open(answer.message or "it is done")
        return Shut(answer.message or "it is at work", patient=True)


AnyCalledStep = CalledStep[Any]
