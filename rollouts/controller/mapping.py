"""Whose business is a change? Watch events become keys: the object, who controls it, who refers to it."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from rollouts.api.selectors import selector_matches
from rollouts.controller.caches import (
    BY_LABEL,
    BY_SERVICE,
    BY_WORKLOAD,
    BY_WORKLOAD_KIND,
    Lookup,
    Lookups,
    OnChange,
    controller_of,
    label_places,
    manager_of,
    workload_key,
)
from rollouts.controller.freshness import Freshness
from rollouts.controller.key import LOOKED_AFTER, Key, key_of
from rollouts.controller.observe import gist
from rollouts.controller.readers import Readers
from rollouts.controller.templates import BY_NEED, TEMPLATE_KINDS, users_of
from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS, REPLICA_SETS, ROLLOUTS, SERVICES
from rollouts.plan.workload import Reference, reference_in

Raw = Mapping[str, Any]
Object = dict[str, Any]


class Passes(Protocol):
    """Who has passes made."""

    def add(self, key: Key) -> None:
        """Have a pass made: something has changed that it may depend on."""

    def changed(self, key: Key) -> None:
        """Have a pass made: somebody else has changed the object itself."""

    def echoed(self, key: Key) -> None:
        """Note that a write of ours has come back, and that its effect will follow."""

    def deleted(self, key: Key, raw: Raw) -> None:
        """Take leave of an object."""


class Followed(Protocol):
    """The kinds that Rollouts take their pod templates from."""

    def follow(self, kind: str) -> None:
        """Keep a copy of a kind from now on."""

    def unfollow(self, kind: str) -> None:
        """Keep a copy of a kind no longer."""


class ChangeMap:
    """Listens to the caches."""

    def __init__(
        self,
        lookups: Lookups,
        freshness: Freshness,
        passes: Passes,
        workloads: Followed,
        readers: Readers,
    ) -> None:
        self._lookups = lookups
        self._freshness = freshness
        self._passes = passes
        self._workloads = workloads
        self._readers = readers

    @property
    def listeners(self) -> Mapping[str, OnChange]:
        """The listener for each kind."""
        return {
            ROLLOUTS.kind: self.rollout_changed,
            REPLICA_SETS.kind: self.replica_set_changed,
            SERVICES.kind: self.service_changed,
            ANALYSIS_RUNS.kind: self.child_changed,
            EXPERIMENTS.kind: self.child_changed,
            **dict.fromkeys(TEMPLATE_KINDS, self.template_changed),
        }

    def kind_known(self, kind: str) -> None:
        """Take it that a kind has come within sight: whoever needs it may have been told that it can't be read."""
        for users in self._users:
            for user in users.by_index(BY_NEED, kind):
                self._passes.add(key_of(user))

    def child_changed(self, old: Object | None, new: Object | None) -> None:
        """Take a change of an AnalysisRun or an Experiment: it concerns the object itself, and who controls it."""
        raw = new or old
        if raw is None:
            return
        key = key_of(raw)
        if new is None:
            self._passes.deleted(key, raw)
        elif self._freshness.is_own_write(key, new):
            self._passes.echoed(key)
        else:
            self._passes.changed(key)
        owners = {owner for each in (old, new) if each is not None for owner in _controllers(each)}
        is_news = bool(owners) and (old is None or new is None or gist(old) != gist(new))
        for owner in owners:
            if new is None:
                self._freshness.vanished(owner, raw)
            if is_news:
                self._passes.add(owner)
            else:
                self._passes.echoed(owner)

    def template_changed(self, old: Object | None, new: Object | None) -> None:
        """Take a change of a template: it concerns who refers to it, also by way of other templates."""
        raw = new or old
        if raw is None or (old is not None and new is not None and old.get("spec") == new.get("spec")):
            return
        templates = (self._lookups.of(kind) for kind in TEMPLATE_KINDS)
        for user in users_of(raw, self._users, *templates):
            self._passes.add(key_of(user))

    @property
    def _users(self) -> tuple[Lookup, ...]:
        """Those who may refer to templates."""
        return self._lookups.rollouts, self._lookups.of(EXPERIMENTS.kind)

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

    def traffic_known(self, kind: str) -> None:
        """Take it that it has turned out whether a kind that routers read can be seen."""
        for key in self._readers.of_kind(kind):
            self._passes.add(key)

    def traffic_changed(self, old: Object | None, new: Object | None) -> None:
        """Take a change of an object that routers read, by its name or by its labels."""
        raw = new or old
        if raw is None:
            return
        for key in self._readers.of_object(raw):
            if new is None:
                self._freshness.vanished(key, raw)
            self._passes.add(key)

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
        """Take a change of a Service: it concerns those who name it, existent or not, its manager and its owner."""
        raw = new or old
        if raw is None:
            return
        metadata = raw["metadata"]
        users = self._lookups.rollouts.by_index(BY_SERVICE, f"{metadata['namespace']}/{metadata['name']}")
        owners = (owner for each in (old, new) if each is not None for owner in _controllers(each))
        for key in {*map(key_of, users), *self._managers(old, new), *owners}:
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
        if controller_of(replica_set) is not None:
            yield from _controllers(replica_set)
            return
        for place in label_places(metadata):
            for rollout in self._lookups.rollouts.by_index(BY_LABEL, place):
                if _selects(rollout, metadata.get("labels") or {}):
                    yield key_of(rollout)


def _controllers(raw: Raw) -> Iterator[Key]:
    """Yield the key of the object that controls another one, if such are looked after."""
    controller = controller_of(raw)
    if controller is not None and controller.get("kind") in LOOKED_AFTER:
        yield Key(raw["metadata"]["namespace"], controller["name"], controller["kind"])


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
