"""Does traffic follow the routers' objects? What these show, and what must be asked outside of the cluster.

A question is asked once the objects say its route, until the answer is yes; that is then in the status, so it isn't
asked again: not after a restart either. A router that tells has no objects to go by: its route is in force once it was
told, and it is told again from time to time.
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
    simulation. `unasked` are the routers whose questions nobody wants asked. `told` is the route that the status tells
    of, by `weights`.
    """

    bound: tuple[BoundRouter, ...]
    objects: Objects
    seen: Seen
    answers: Answers | None
    unasked: frozenset[str]
    told: Route | None
    weights: TrafficWeights | None

    @classmethod
    def of(
        cls,
        here: Observed,
        bound: tuple[BoundRouter, ...],
        kit: Kit,
        told: Route | None,
        weights: TrafficWeights | None,
    ) -> "Verifier":
        objects = here.objects or {}
        seen = _together(each.seen(objects) for each in bound)
        return cls(bound, objects, seen, here.answers, kit.unasked, told, weights)

    def verdict(self, route: Route | None) -> Verdict:
        """Return what is known of a route that the objects say."""
        if route is None:
            return Verdict(self.seen)
        asks: list[Question] = []
        known: list[Seen] = []
        state: dict[str, Any] = {}
        for each in self.bound:
            questions = each.questions(route, self.objects) if each.router.key not in self.unasked else ()
            if questions and self._is_settled(each, route):
                # One that tells goes on telling: others may have changed what it has brought about.
                asks += questions if each.router.tells else ()
                known.append(Seen(self._told_verified(route)))
                continue
            asks += questions
            known += [self._answer(question, route) for question in questions]
            state |= self._state(each, questions)
        return Verdict(_together((self.seen, *known)), () if self.answers is None else tuple(asks), state)

    def untold(self, route: Route) -> str:
        """Say what a router that tells has still to bring about before a route is in force; nothing once it has.

        What the status tells of was in force once. It tells of no managed routes: after a start they are told again.
        """
        if self._is_told(route) and not route.headers and not route.mirrors:
            return ""
        told = (each for each in self.bound if each.router.tells)
        questions = (question for each in told for question in each.questions(route, self.objects))
        return next(filter(None, map(self._lack, questions)), "")

    def _lack(self, question: Question) -> str:
        found = (self.answers or {}).get(question)
        return f"{question.about} is being told" if found is None else found.error

    def _answer(self, question: Question, route: Route) -> Seen:
        if self.answers is None:
            return Seen(self._told_verified(route), f"the controller asks {question.about}")
        found = self.answers.get(question)
        if found is None:
            return Seen(verified=False, because=f"{question.about} is being asked")
        return Seen(found.verified, found.error or found.because)

    def _state(self, router: BoundRouter, questions: tuple[Question, ...]) -> Raw:
        answers = self.answers or {}
        if not questions or any(each not in answers for each in questions):
            return {}
        return router.state({each: answers[each] for each in questions})

    def _is_settled(self, router: BoundRouter, route: Route) -> bool:
        """Whether no answer of this router can change what the status tells of a route."""
        verified = self._told_verified(route)
        return verified is True or (router.router.tells and verified is None and self._is_told(route))

    def _told_verified(self, route: Route) -> bool | None:
        return self.weights.verified if self.weights is not None and self._is_told(route) else None

    def _is_told(self, route: Route) -> bool:
        return self.told is not None and _ends(route) == _ends(self.told)


def _ends(route: Route) -> tuple[object, ...]:
    return route.canary, route.stable, route.additional


def _together(every: Iterable[Seen]) -> Seen:
    """Return what all of them tell: verified once all that can tell say so."""
    known = [each for each in every if each.verified is not None]
    missing = "; ".join(each.because for each in known if not each.verified)
    return Seen(all(each.verified for each in known) if known else None, missing)
