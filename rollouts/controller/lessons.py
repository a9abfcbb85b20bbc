"""What follows from a plan's writes? What the cache owes us now, what was refused, and when to look again."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rollouts.controller.caches import Lookups
from rollouts.controller.freshness import Freshness
from rollouts.controller.key import Key
from rollouts.controller.outcome import Outcome
from rollouts.controller.overdue import SAFETY_WAKE
from rollouts.controller.pace import SHORTEST_WAKE
from rollouts.controller.refusals import Refusals
from rollouts.controller.result import Conflicted, Done, Failed, Gone, Result
from rollouts.plan import Action, Refusal

Raw = Mapping[str, Any]


class Lessons:
    """Learns from the outcomes of passes."""

    def __init__(
        self,
        lookups: Lookups,
        freshness: Freshness,
        refusals: Refusals,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lookups = lookups
        self._freshness = freshness
        self._refusals = refusals
        self._monotonic = monotonic

    def learn(self, key: Key, owner: Raw, outcome: Outcome, actions: Sequence[Action]) -> None:
        """Remember what the cache owes to the owner now, and what was refused."""
        now = self._monotonic()
        for raw in outcome.written:
            self._freshness.wrote(key, raw, now)
        for raw in (*outcome.gone, *outcome.deleted):
            self._freshness.deleted(key, raw, now)
        for raw in outcome.outdated:
            self._freshness.outdated(key, raw, now)
        for refused in outcome.refused:
            identity = self._lookups.identity_of(refused.refusal.kind, key.namespace, refused.refusal.subject)
            self._refusals.remember(key, refused, owner, identity, now)
        if actions and not outcome.refused:
            self._refusals.succeeded(key)

    def refused(self, key: Key, owner: Raw) -> tuple[Refusal, ...]:
        """Return the refusals that still hold."""
        subjects = self._refusals.subjects(key)
        if not subjects:
            return ()
        identities = {name: self._lookups.identity_of(kind, key.namespace, name) for kind, name in subjects}
        return self._refusals.current(key, owner, identities, self._monotonic())

    def result(self, outcome: Outcome, delay: float) -> Result:
        """Return what comes of a pass that wrote something; with all well, `delay` is when time changes the answer."""
        if outcome.owner_is_gone:
            return Gone()
        if outcome.errors:
            return Failed(tuple(outcome.errors))
        if outcome.outdated or outcome.gone:
            return Conflicted()
        if outcome.refused:
            return Done(SHORTEST_WAKE, acted=True)  # the next plan shall know of it
        return Done(min(delay, SAFETY_WAKE) if outcome.has_written else delay, acted=True)
