"""What if the cache never delivers what we know of? A live read settles it, once it is overdue."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import structlog

from rollouts.controller.caches import Lookups
from rollouts.controller.freshness import Expectation, Freshness, version_of
from rollouts.controller.key import LOOKED_AFTER, Key
from rollouts.controller.result import Waiting
from rollouts.controller.traffic import Served
from rollouts.kube.client import Api
from rollouts.kube.errors import ApiError, NotFound
from rollouts.kube.resources import DEPLOYMENTS, REPLICA_SETS, SERVICES, Resource

Raw = Mapping[str, Any]

SAFETY_WAKE = 1.0
"""How long we trust that the watch event of a write will come and bring us back."""

OVERDUE_AGAIN = 5.0
"""How long after a live read that found the watch lagging the next one comes."""

_RESOURCES: Mapping[str, Resource] = {
    **LOOKED_AFTER,
    **{each.kind: each for each in (REPLICA_SETS, SERVICES, DEPLOYMENTS)},
}

_log = structlog.get_logger(__name__)


class Overdue:
    """Waits for the watch to deliver what we know of."""

    def __init__(
        self,
        api: Api,
        lookups: Lookups,
        freshness: Freshness,
        *,
        is_kept: Callable[[Resource, Raw], bool],
        monotonic: Callable[[], float],
    ) -> None:
        self._api = api
        self._lookups = lookups
        self._freshness = freshness
        self._is_kept = is_kept
        self._monotonic = monotonic

    async def wait(self, key: Key, owed: Sequence[Expectation]) -> Waiting:
        """Settle what is overdue of what the cache owes to `key`, and say how long to wait for the rest."""
        for expectation in owed:
            if self._monotonic() >= expectation.until:
                await self._settle(key, expectation)
        return Waiting(SAFETY_WAKE)

    async def _settle(self, key: Key, expectation: Expectation) -> None:
        kind, _, group = expectation.kind.partition(".")
        known = _RESOURCES.get(expectation.kind)
        served = Served(self._api, known) if known is not None else self._lookups.traffic.served(kind, group)
        if served is None:
            self._freshness.settle(key, expectation)  # its kind isn't served any more
            return
        api, resource = served
        try:
            live = await api.get(resource, expectation.namespace, expectation.name)
        except NotFound:
            live = None
        except ApiError as error:
            _log.warning("overdue, and a live read fails", key=str(key), expected=str(expectation), error=str(error))
            return
        if live is not None and not self._is_kept(resource, live):
            live = None  # to the cache, an object that lost its label is gone
        if self._is_behind(expectation, live):
            # Planning on old facts would be wrong. The cache heals itself: a silent watch is given up, then it relists.
            _log.warning("overdue: the watch lags behind", key=str(key), expected=str(expectation))
            self._freshness.postpone(key, expectation, self._monotonic() + OVERDUE_AGAIN)
            return
        _log.warning("overdue: a live read shows that it won't come", key=str(key), expected=str(expectation))
        self._freshness.settle(key, expectation)

    def _is_behind(self, expectation: Expectation, live: Raw | None) -> bool:
        """Tell whether the cache doesn't show an object as a live read shows it, or shows one that is gone."""
        cached = self._lookups.find(expectation.kind, expectation.namespace, expectation.name)
        if cached is None or live is None:
            return cached is not live
        return version_of(cached) < version_of(live)
