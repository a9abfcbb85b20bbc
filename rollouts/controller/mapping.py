"""Whose business is a change? Watch events become keys: the Rollout, a ReplicaSet's controller, a Service's users."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from rollouts.api.selectors import selector_matches
from rollouts.controller.caches import (
    BY_NAMESPACE,
    BY_SERVICE,
    BY_WORKLOAD,
    BY_WORKLOAD_KIND,
    Lookups,
    OnChange,
    controller_of,
    manager_of,
    workload_key,
)
from rollouts.controller.freshness import Freshness
from rollouts.controller.key import Key, key_of
from rollouts.kube.resources import REPLICA_SETS, ROLLOUTS, SERVICES
from rollouts.plan.workload import Reference, reference_in

Raw = Mapping[str, Any]
Object = dict[str, Any]


class Passes(Protocol):
    """Who has passes made."""

    def add(self, key: Key) -> None:
        """Have a pass made: something has changed that it may depend on."""

    def changed(self, key: Key) -> None:
        """Have a pass made: somebody else has changed the Rollout itself."""

    def echoed(self, key: Key) -> None:
        """Note that a write of ours has come back, and that its effect will follow."""

    def deleted(self, key: Key, rollout: Raw) -> None:
        """Take leave of a Rollout."""


class Followed(Protocol):
    """The kinds that Rollouts take their pod templates from."""

    def follow(self, kind: str) -> None:
        """Keep a copy of a kind from now on."""

    def unfollow(self, kind: str) -> None:
        """Keep a copy of a kind no longer."""


class ChangeMap:
    """Listens to the caches."""

    def __init__(self, lookups: Lookups, freshness: Freshness, passes: Passes, workloads: Followed) -> None:
        self._lookups = lookups
        self._freshness = freshness
        self._passes = passes
        self._workloads = workloads

    @property
    def listeners(self) -> Mapping[str, OnChange]:
        """The listener for each kind."""
        return {
            ROLLOUTS.kind: self.rollout_changed,
            REPLICA_SETS.kind: self.replica_set_changed,
            SERVICES.kind: self.service_changed,
        }

    def rollout_changed(self, old: Object | None, new: Object | None) -> None:
        """Take a change of a Rollout; our own writes come back, too, and are no news to a pass that goes in circles."""
        self._refer(old, new)
        if new is None:
            if old is not None:
                self._passes.deleted(key_of(old), old)
            return
        key = key_of(new)
        if self._freshness.is_own_write(key, new):
            self._passes.add(key)
        else:
            self._passes.changed(key)

    def _refer(self, old: Object | None, new: Object | None) -> None:
        """Follow what a Rollout refers to, and stop once it was the last."""
        before, now = (reference_in(raw) if raw is not None else None for raw in (old, new))
        if before == now:
            return
        if now is not None:
            self._workloads.follow(now.kind)
        if before is not None and old is not None:
            self._freshness.dismiss(key_of(old), before.kind, before.name)
            if not self._lookups.rollouts.by_index(BY_WORKLOAD_KIND, before.kind):
                self._workloads.unfollow(before.kind)

    def workload_changed(self, old: Object | None, new: Object | None) -> None:
        """Take a change of something that Rollouts may refer to: its template, its size, or its counts of pods."""
        raw = new or old
        if raw is None or _without_version(old) == _without_version(new):
            return
        metadata = raw["metadata"]
        place = workload_key(metadata["namespace"], Reference(raw["kind"], metadata["name"]))
        for rollout in self._lookups.rollouts.by_index(BY_WORKLOAD, place):
            self._passes.add(key_of(rollout))

    def replica_set_changed(self, old: Object | None, new: Object | None) -> None:
        """Take a change of a ReplicaSet: it concerns whoever controlled it, whoever does, and whoever may adopt it."""
        concerned = {key for raw in (old, new) if raw is not None for key in self._concerned(raw)}
        for key in concerned:
            if new is None and old is not None:
                self._freshness.vanished(key, old)
            if new is not None and self._is_echo(key, old, new):
                self._passes.echoed(key)
            else:
                self._passes.add(key)

    def _is_echo(self, key: Key, old: Object | None, new: Object) -> bool:
        """Tell whether this is a ReplicaSet's spec as we wrote it: its status will follow, and is the news."""
        generation = new["metadata"].get("generation")
        is_new_spec = old is None or old["metadata"].get("generation") != generation
        return is_new_spec and self._freshness.is_own_write(key, new)

    def service_changed(self, old: Object | None, new: Object | None) -> None:
        """Take a change of a Service: it concerns those who name it, whether it exists or not, and its manager."""
        raw = new or old
        if raw is None:
            return
        metadata = raw["metadata"]
        users = self._lookups.rollouts.by_index(BY_SERVICE, f"{metadata['namespace']}/{metadata['name']}")
        for key in {*map(key_of, users), *self._managers(old, new)}:
            if new is None:
                self._freshness.vanished(key, raw)
            self._passes.add(key)

    def _managers(self, old: Object | None, new: Object | None) -> Iterator[Key]:
        """Yield the Rollout that a Service is marked with: if we look after it, or if the mark is new.

        Another controller's Rollout is no news each time that something about its Service changes.
        """
        before, now = (manager_of(raw) if raw is not None else None for raw in (old, new))
        if now is not None and (now != before or self._lookups.rollouts.get(now.namespace, now.name) is not None):
            yield now

    def _concerned(self, replica_set: Raw) -> Iterator[Key]:
        metadata = replica_set["metadata"]
        controller = controller_of(replica_set)
        if controller is not None:
            if controller.get("kind") == ROLLOUTS.kind:
                yield Key(metadata["namespace"], controller["name"])
            return
        for rollout in self._lookups.rollouts.by_index(BY_NAMESPACE, metadata["namespace"]):
            if _selects(rollout, metadata.get("labels") or {}):
                yield key_of(rollout)


def _without_version(raw: Raw | None) -> Raw | None:
    if raw is None:
        return None
    metadata = {key: value for key, value in raw["metadata"].items() if key != "resourceVersion"}
    return {**raw, "metadata": metadata}


def _selects(rollout: Raw, labels: Mapping[str, str]) -> bool:
    try:
        selector = rollout["spec"].get("selector")
        if not selector:
            return reference_in(rollout) is not None  # its selector is elsewhere: it may be concerned
        return selector_matches(selector, labels)
    except (ValueError, KeyError, AttributeError):
        return False  # its own pass says what is wrong with it
