"""When does which object get a pass? Results become wakes and back-offs; no key can starve or crash the others."""

from collections.abc import Callable, Mapping
from typing import Any

import structlog

from rollouts.controller.agenda import Agenda
from rollouts.controller.caches import Lookups, manager_of
from rollouts.controller.key import Key, key_of
from rollouts.controller.metrics import Metrics
from rollouts.controller.observe import is_going
from rollouts.controller.queue import Queue
from rollouts.controller.result import Conflicted, Done, Failed, Gone, Passes, Result, Waiting
from rollouts.controller.tell import Teller
from rollouts.kube.errors import ApiError
from rollouts.kube.resources import ROLLOUTS
from rollouts.plan.analysis.assess import COMPLETED

Raw = Mapping[str, Any]

MOST_ACTS_IN_A_ROW = 40
"""Passes that all wrote something, without a rest and without a change of the object by anybody else.

A rollout of many pods acts in a row when each event brings the next batch; one that goes on like this is going round in
circles, and is slowed down before it can hurt the API server.
"""

_log = structlog.get_logger(__name__)


class Loop:
    """Works on keys until it is closed."""

    def __init__(
        self,
        passes: Mapping[str, Passes],
        teller: Teller,
        lookups: Lookups,
        metrics: Metrics,
        *,
        workers: int,
        take_leave: Callable[[Key, Raw], None] = lambda _, __: None,
    ) -> None:
        # Each kind has its turn: a thousand runs that are due at once don't keep a Rollout waiting.
        self.queue: Queue[Key] = Queue(metrics.queue, workers=workers, agenda=Agenda(lane=lambda key: key.kind))
        self._passes = passes
        self._teller = teller
        self._lookups = lookups
        self._metrics = metrics
        self._take_leave = take_leave
        self.is_running = False
        self._acts: dict[Key, int] = {}
        self._waiting: set[Key] = set()

    async def run(self) -> None:
        """Work until `close`; running passes may finish. Whoever waits for something is served before those at rest."""
        self.is_running = True
        for raw in sorted((raw for kind in self._passes for raw in self._lookups.of(kind).items()), key=is_at_rest):
            self.queue.add(key_of(raw))
        for key in self._left_behind():
            self.queue.add(key)
        try:
            await self.queue.run(self._work)
        finally:
            self.is_running = False

    def _left_behind(self) -> set[Key]:
        """Return the Rollouts that Services are marked with and that are not to be seen: they went while we were away.

        They may also be another controller's.
        """
        marks = (manager_of(service) for service in self._lookups.services.items())
        return {key for key in marks if key is not None and self._lookups.rollouts.get(key.namespace, key.name) is None}

    def close(self) -> None:
        """Begin no more passes."""
        self.queue.close()

    def add(self, key: Key) -> None:
        """Have a pass made: something has changed that it may depend on.

        While a key is slowed down, what changes may be its own doing: then only its back-off brings it back.
        """
        if self._has_passes(key) and self._acts.get(key, 0) <= MOST_ACTS_IN_A_ROW:
            self.queue.add(key)

    def wake(self, key: Key, delay: float) -> None:
        """Have a pass made after some seconds, or sooner; a key that is slowed down waits for its back-off."""
        if self._has_passes(key) and self._acts.get(key, 0) <= MOST_ACTS_IN_A_ROW:
            self.queue.wake(key, delay)

    def changed(self, key: Key) -> None:
        """Have a pass made: somebody else has changed the object itself."""
        self._acts.pop(key, None)
        self.add(key)

    def echoed(self, key: Key) -> None:
        """Have a pass made only if one waits for this echo; else the effect of the write brings the next one.

        Half of all passes would see nothing but what the pass before has written.
        """
        if key in self._waiting:
            self.add(key)

    def deleted(self, key: Key, raw: Raw) -> None:
        """Take leave of an object. A pass of it may be running: one more cleans up after that."""
        if self._has_passes(key):
            self._teller.deleted(key, raw)
            self._take_leave(key, raw)
        self.forget(key)
        self.add(key)

    def forget(self, key: Key) -> None:
        """Drop everything known of an object that is gone."""
        self._acts.pop(key, None)
        self._waiting.discard(key)
        if key.kind in self._passes:
            self._passes[key.kind].forget(key)
        self._teller.forget(key)
        self.queue.forget(key)

    def _has_passes(self, key: Key) -> bool:
        return self.is_running and key.kind in self._passes

    async def _work(self, key: Key) -> None:
        self._waiting.discard(key)
        with self._metrics.timed(key):
            try:
                result = await self._passes[key.kind].reconcile(key)
            except ApiError as error:
                result = Failed((error,))
            except Exception as error:  # noqa: BLE001 - one broken object must not stop the others
                self._teller.failed(key, self._find(key), error, is_ours=True)
                self.queue.retry(key)
                return
        self._follow_up(key, result)

    def _follow_up(self, key: Key, result: Result) -> None:
        match result:
            case Done(delay, acted, is_well):
                self._done(key, delay, acted=acted, is_well=is_well)
                if is_well and not acted:
                    self._teller.recovered(key)
            case Waiting(delay):
                self._waiting.add(key)
                self.queue.wake(key, delay)
            case Conflicted():
                # At once: the cache must show something newer before the next plan is made, so this can't spin.
                self._done(key, 0.0, acted=True)
            case Failed(errors):
                raw = self._find(key)
                for error in errors:
                    self._teller.failed(key, raw, error, is_ours=False)
                self.queue.retry(key)
            case Gone():
                self._gone(key)

    def _find(self, key: Key) -> Raw | None:
        return self._lookups.find(key.kind, key.namespace, key.name)

    def _gone(self, key: Key) -> None:
        """Forget an object, unless the cache shows one: it lags behind, or there is a new one under the name.

        To forget that one would cost it the pass that its creation has asked for, and nothing else would bring it.
        """
        raw = self._find(key)
        if raw is None or is_going(raw):
            self.forget(key)
        else:
            _log.info("a write found no such object, though the cache has one: trying again", key=str(key))
            self.queue.retry(key)

    def _done(self, key: Key, delay: float, *, acted: bool, is_well: bool = True) -> None:
        acts = self._acts[key] = self._acts.get(key, 0) + 1 if acted else 0
        if acts <= MOST_ACTS_IN_A_ROW:
            if is_well:
                self.queue.succeeded(key)
            self.queue.wake(key, delay)
            return
        if acts == MOST_ACTS_IN_A_ROW + 1:
            _log.warning("going round in circles: slowing down", key=str(key), passes=acts)
        self.queue.retry(key)


def is_at_rest(raw: Raw) -> bool:
    """Tell whether an object looks as if its last pass had left nothing to do."""
    status = raw.get("status")
    if not isinstance(status, Mapping):
        return False
    if raw.get("kind") != ROLLOUTS.kind:
        return status.get("phase") in COMPLETED
    generation = str(raw["metadata"].get("generation", 0))
    return status.get("observedGeneration") == generation and status.get("phase") == "Healthy"
