"""Which of several replicas leads? The holder of one Lease, by client-go's rules.

A follower never compares clocks: it measures, on its own monotonic clock, how long the record has stood unchanged, and
takes over when that exceeds the duration written in it. A leader that could not renew for `renew_deadline`, counted
from the *start* of its last successful request, stops leading; followers wait for `lease_duration` from when they *saw*
that request's effect, which is later. Between the two lies the time that a leader has to stop its work.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import structlog

from rollouts.api.timestamps import format_micro_time
from rollouts.kube.errors import AlreadyExists, ApiError, Conflict, KubeError, NotFound
from rollouts.kube.resources import LEASES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rollouts.kube.client import Api

JITTER = 1.2  # client-go's: a follower asks again after one to 2.2 periods
RELEASE_TIMEOUT = 2.0
SHORTEST_ATTEMPT = 0.01  # less time than this is no time for a request

_log = structlog.get_logger(__name__)


class LeadershipLost(Exception):  # noqa: N818 - it is an event that happened, like CancelledError
    """The lease could not be renewed in time, or somebody else holds it; the work was cancelled."""


class LeaderElector:
    """Takes part in the election for one Lease."""

    def __init__(
        self,
        api: Api,
        namespace: str,
        name: str,
        identity: str,
        *,
        lease_duration: float = 15,
        renew_deadline: float = 10,
        retry_period: float = 2,
        clock: Callable[[], float] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not lease_duration > renew_deadline > JITTER * retry_period > 0:
            raise ValueError(
                f"lease_duration {lease_duration:g} must exceed renew_deadline {renew_deadline:g}, "
                f"and that {JITTER} times retry_period {retry_period:g}"
            )
        if not identity:
            raise ValueError("an elector needs an identity: an empty one means that nobody holds the lease")
        self.identity = identity
        self.leading = False
        self.holder: str | None = None
        self._api = api
        self._namespace = namespace
        self._name = name
        self._lease_duration = lease_duration
        self._renew_deadline = renew_deadline
        self._retry_period = retry_period
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._now = now
        self._observed: dict[str, Any] | None = None
        self._observed_at = 0.0
        self._told_of: str | None = None

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, then run `lead` while holding it.

        Returns when `lead` returns, and raises what it raises; LeadershipLost when the lease is lost, after `lead` has
        been cancelled. The lease is released in every case in which we may still hold it.
        """
        renewed_at = await self._acquire()
        self.leading = True
        _log.info("leading", lease=self._name, identity=self.identity)
        work = asyncio.ensure_future(lead())
        renewal = asyncio.ensure_future(self._renew(renewed_at))
        try:
            await asyncio.wait({work, renewal}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost = renewal.done()
            try:
                # We go on renewing meanwhile: nobody shall begin before we have stopped.
                work.cancel()
                await asyncio.wait({work})
            finally:
                renewal.cancel()
                self.leading = False
            await asyncio.wait({renewal})
            await self._release()
        if lost and work.cancelled():
            _log.warning("leadership lost", lease=self._name, identity=self.identity, holder=self.holder)
            raise LeadershipLost(f"lease {self._namespace}/{self._name} was not renewed") from renewal.exception()
        work.result()

    async def _acquire(self) -> float:
        """Try until the lease is ours; return when the successful request began."""
        while True:
            started = self._clock()
            if await self._attempt(self._renew_deadline):
                return started
            await asyncio.sleep(self._until_next_try())

    def _until_next_try(self) -> float:
        """Return a jittered period, or less when the lease expires before: takeover needn't wait for chance."""
        period = self._retry_period * (1 + JITTER * random.random())  # noqa: S311 - jitter
        left = self._expires_at() - self._clock()
        return min(period, max(left, SHORTEST_ATTEMPT)) if left > 0 else period

    async def _renew(self, renewed_at: float) -> None:
        """Renew until that fails for longer than the deadline, or somebody else holds the lease."""
        while True:
            await asyncio.sleep(min(self._retry_period, self._left(renewed_at)))
            left = self._left(renewed_at)
            if left < SHORTEST_ATTEMPT:
                return
            started = self._clock()
            if await self._attempt(left):
                renewed_at = started
            elif self.holder not in {self.identity, None}:
                return

    def _left(self, renewed_at: float) -> float:
        return max(0.0, renewed_at + self._renew_deadline - self._clock())

    async def _attempt(self, patience: float) -> bool:
        """Acquire or renew once; False when the lease is somebody else's or the server doesn't answer."""
        try:
            async with asyncio.timeout(patience):
                return await self._acquire_or_renew()
        except (KubeError, TimeoutError) as error:
            # A conflict is the usual way of losing a race; anything else keeps everybody from working.
            tell = _log.info if isinstance(error, Conflict | AlreadyExists) else _log.warning
            tell("lease not written", lease=self._name, identity=self.identity, error=str(error) or "no answer in time")
            return False

    async def _acquire_or_renew(self) -> bool:
        if self.leading and self._observed is not None:
            # Nobody else writes while we hold it: the version that our last write returned is good, as a rule.
            with contextlib.suppress(ApiError):
                self._observe(await self._write(self._claim(self._observed)))
                return True
        try:
            lease = await self._api.get(LEASES, self._namespace, self._name)
        except NotFound:
            self._observe(await self._api.create(LEASES, self._namespace, self._claim(None)))
            return True
        self._observe(lease)
        if self.holder and self.holder != self.identity and self._clock() < self._expires_at():
            self._stand_by()
            return False
        self._observe(await self._write(self._claim(lease)))
        return True

    def _stand_by(self) -> None:
        """Say, once for each holder, why this process does nothing."""
        if self.holder != self._told_of:
            self._told_of = self.holder
            _log.info(
                "standing by", lease=self._name, namespace=self._namespace, identity=self.identity, holder=self.holder
            )

    def _observe(self, lease: dict[str, Any]) -> None:
        """Remember the record, and when it last changed by our own clock."""
        if self._observed is None or self._observed.get("spec") != lease.get("spec"):
            self._observed_at = self._clock()
        self._observed = lease
        self.holder = (lease.get("spec") or {}).get("holderIdentity") or None

    def _expires_at(self) -> float:
        """Return when the observed record will have stood unchanged for its duration, by our own clock."""
        spec = (self._observed or {}).get("spec") or {}
        return self._observed_at + float(spec.get("leaseDurationSeconds") or 0)

    def _claim(self, lease: dict[str, Any] | None) -> dict[str, Any]:
        """Return the lease with us as its holder."""
        now = format_micro_time(self._now())
        spec = dict((lease or {}).get("spec") or {})
        if spec.get("holderIdentity") != self.identity:
            transitions = int(spec.get("leaseTransitions") or 0)
            spec["leaseTransitions"] = transitions + 1 if lease is not None else 0
            spec["acquireTime"] = now
        spec.update(
            holderIdentity=self.identity, leaseDurationSeconds=max(1, round(self._lease_duration)), renewTime=now
        )
        return self._record(lease, spec)

    def _record(self, lease: dict[str, Any] | None, spec: dict[str, Any]) -> dict[str, Any]:
        metadata = dict((lease or {}).get("metadata") or {"namespace": self._namespace, "name": self._name})
        metadata.pop("managedFields", None)
        return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata, "spec": spec}

    async def _write(self, lease: dict[str, Any]) -> dict[str, Any]:
        return await self._api.replace(LEASES, self._namespace, self._name, lease)

    async def _release(self) -> None:
        """Give the lease up, if it is still ours, so that a successor needn't wait for it to expire."""
        try:
            async with asyncio.timeout(RELEASE_TIMEOUT):
                lease = await self._api.get(LEASES, self._namespace, self._name)
                self._observe(lease)
                if self.holder != self.identity:
                    return
                now = format_micro_time(self._now())
                spec = {
                    "holderIdentity": "",
                    "leaseDurationSeconds": 1,
                    "acquireTime": now,
                    "renewTime": now,
                    "leaseTransitions": lease["spec"].get("leaseTransitions", 0),
                }
                self._observe(await self._write(self._record(lease, spec)))
        except (KubeError, TimeoutError) as error:
            _log.info("lease not released", lease=self._name, identity=self.identity, error=str(error))
