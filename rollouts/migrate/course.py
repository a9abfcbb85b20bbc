"""Which steps lie ahead, if all goes well? The decisions of a run, taken one after the other in thought."""

from dataclasses import dataclass

from rollouts.migrate import back, there
from rollouts.migrate.steps import Decision, Done, Seen, Step, Stuck, after
from rollouts.migrate.wish import Wish

_ENOUGH = 100  # more steps than any workload has: each takes at most a few, and one for each autoscaler and Service


@dataclass(frozen=True, slots=True)
class Course:
    """The steps, and how they end."""

    steps: tuple[Step, ...]
    end: Done | Stuck


def decide(seen: Seen, wish: Wish) -> Decision:
    """Return what to do next, there or back."""
    return back.decide(seen) if wish.is_reverse else there.decide(seen, wish)


def course(seen: Seen, wish: Wish) -> Course:
    """Return the steps that lie ahead."""
    steps: list[Step] = []
    while len(steps) < _ENOUGH:
        decision = decide(seen, wish)
        if isinstance(decision, Done | Stuck):
            return Course(tuple(steps), decision)
        steps.append(decision)
        seen = after(seen, decision)
    return Course(tuple(steps), Stuck("there is no end to the steps", "look at the autoscalers and Services by hand"))
