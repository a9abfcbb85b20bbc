"""Does traffic follow the routers' objects? What these show, and what must be asked outside of the cluster.

A question is asked once the objects say its route, until the answer is yes; that is then in the status, so it isn't
asked again: not after a restart either.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.api.status import TrafficWeights
from rollouts.plan.observed import Observed
from rollouts.plan.traffic import BoundRouter
from rollouts.ports import Answers, Kit, Objects, Question, Route, Seen

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a route: `asks` are the questions that are still open, `state` what the status tells of them."""

    seen: Seen
    asks: tuple[Question, ...] = ()
    state: Raw = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Knows what there is to ask, and what was answered.

    `seen` is what the objects show, whatever the route. `answers` is None where nobody asks: on a laptop, in a
    simulation. `unasked` are the routers whose questions nobody wants asked.
    """

    bound: tuple[BoundRouter, ...]
    objects: Objects
    seen: Seen
    answers: Answers | None
    unasked: frozenset[str]

    @classmethod
    def of(cls, here: Observed, bound: tuple[BoundRouter, ...], kit: Kit) -> "Verifier":
        objects = here.objects or {}
        return cls(bound, objects, _together(each.seen(objects) for each in bound), here.answers, kit.unasked)

    def verdict(self, route: Route | None, told: Route | None, weights: TrafficWeights | None) -> Verdict:
        """Return what is known of a route that the objects say; `told` is the one that the status tells of."""
        mine = [(each, each.questions(route, self.objects)) for each in self.bound] if route is not None else []
        asks = [question for each, questions in mine if each.router.key not in self.unasked for question in questions]
        if not asks:
            return Verdict(self.seen)
        is_told = weights is not None and route is not None and told is not None and _ends(route) == _ends(told)
        verified = weights.verified if weights is not None and is_told else None
        if verified:
            return Verdict(_together((self.seen, Seen(verified=True))))
        if self.answers is None:
            waits = "; ".join(f"the controller asks {each.about}" for each in asks)
            return Verdict(_together((self.seen, Seen(verified, waits))))
        known = {each: self.answers[each] for each in asks if each in self.answers}
        answered = (
            Seen(known[each].verified, known[each].error or known[each].because)
            if each in known
            else Seen(verified=False, because=f"{each.about} is being asked")
            for each in asks
        )
        state: dict[str, Any] = {}
        for each, questions in mine:
            if questions and all(question in known for question in questions):
                state |= each.state({question: known[question] for question in questions})
        return Verdict(_together((self.seen, *answered)), tuple(asks), state)


def _ends(route: Route) -> tuple[object, ...]:
    return route.canary, route.stable, route.additional


def _together(every: Iterable[Seen]) -> Seen:
    """Return what all of them tell: verified once all that can tell say so."""
    known = [each for each in every if each.verified is not None]
    missing = "; ".join(each.because for each in known if not each.verified)
    return Seen(all(each.verified for each in known) if known else None, missing)
