"""What is true of one Rollout right now, as far as we can know?

A picture is made from the caches, once they show everything that we wrote ourselves. It is stamped with the versions of
all that it was made from: the same stamp means that a plan would say the same, until its wake.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from rollouts.api.base import describe
from rollouts.api.services import service_names
from rollouts.controller.caches import (
    BY_MANAGER,
    BY_SERVICE,
    ORPHANS,
    Lookups,
)
from rollouts.controller.freshness import Expectation, Freshness
from rollouts.controller.key import Key
from rollouts.controller.lessons import Lessons
from rollouts.controller.readers import Readers, Readings
from rollouts.controller.templates import needs_of
from rollouts.kube.client import Api
from rollouts.kube.errors import ApiError
from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS, PODS, REPLICA_SETS
from rollouts.plan import Observed, Refusal, ReplicaSet, observe_replica_set, observe_rollout
from rollouts.plan.analysis.assess import COMPLETED
from rollouts.plan.analysis.references import closure, templates_of
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.observed import Pod
from rollouts.plan.pods import is_up_to_date, observe_pod, pending_replica_sets, pods_wanted
from rollouts.plan.services import rival_of
from rollouts.plan.traffic import routing_path
from rollouts.plan.workload import Reference, reference_in
from rollouts.ports import Objects, Reads
from rollouts.ports.checked import PluginError

Raw = Mapping[str, Any]
Stamp = tuple[object, ...]

_VERSIONS = frozenset({"resourceVersion", "generation"})


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no such Rollout, or it is being deleted: it is none of our business any more.

    `left` are the Services that carry the mark of a Rollout that our cache doesn't have.
    """

    left: tuple[Raw, ...] = ()


@dataclass(frozen=True, slots=True)
class NotYet:
    """The cache still lacks something that is known to exist."""

    owed: tuple[Expectation, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The spec doesn't have the API's shape, or what it refers to can't be read; without a stamp, ask again."""

    raw: Raw
    problem: str
    stamp: Stamp | None


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything is there: what to plan from. `stamp` is None when not all of it carries a version.

    `trouble` tells that the pods can't be listed: what is to be done to pods has to wait, nothing else does.
    """

    observed: Observed
    stamp: Stamp | None
    trouble: ApiError | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing has changed since the pass that had this stamp."""


Sight = Absent | NotYet | Unreadable | Unchanged | Picture


@dataclass(frozen=True, slots=True)
class _View:
    """A Rollout that was read once; the same version is never read again."""

    version: str
    workload: str
    observed: Observed | None
    problem: str = ""
    templates: tuple[TemplateKey, ...] = ()
    needs: tuple[str, ...] = ()
    sets: dict[str, ReplicaSet] = field(default_factory=dict)

    def look_at(self, raws: list[Raw]) -> list[ReplicaSet]:
        """Return the views of ReplicaSets; one that hasn't changed since the last look is not looked at again."""
        seen = dict(self.sets)
        self.sets.clear()
        for raw in raws:
            before = seen.get(raw["metadata"]["uid"])
            self.sets[raw["metadata"]["uid"]] = (
                before if before is not None and before.raw is raw else observe_replica_set(raw)
            )
        return list(self.sets.values())


@dataclass(frozen=True, slots=True)
class _Parts:
    """The raw objects of one picture."""

    raw: Raw
    replica_sets: list[Raw]
    services: dict[str, Raw | None]
    left: tuple[Raw, ...]
    rivals: dict[str, str]
    refusals: tuple[Refusal, ...]
    runs: tuple[Raw, ...]
    experiments: tuple[Raw, ...]
    templates: Mapping[TemplateKey, Raw | None]
    objects: Objects
    hidden: Reads
    unheard: str

    @property
    def stamp(self) -> Stamp:
        """What everything was made from, in one comparable value: versions, which are never used twice in a cluster.

        Of a run that goes on counts only what `gist` leaves: single measurements are no news.
        """
        services = (each and each["metadata"]["resourceVersion"] for each in (*self.services.values(), *self.left))
        replica_sets = (each["metadata"]["resourceVersion"] for each in self.replica_sets)
        rivals = tuple(self.rivals.items())
        children = (tuple(map(_mark, self.runs)), tuple(map(_mark, self.experiments)), self.templates)
        objects = tuple((place, raw and _version(raw)) for place, raw in self.objects.items())
        own = self.raw["metadata"]["resourceVersion"]
        return (own, *replica_sets, "|", *services, rivals, self.refusals, children, objects, self.hidden, self.unheard)


class Observer:
    """Makes pictures from the caches."""

    def __init__(
        self,
        lookups: Lookups,
        api: Api,
        freshness: Freshness,
        lessons: Lessons,
        readers: Readers,
    ) -> None:
        self._lookups = lookups
        self._readers = readers
        self._api = api
        self._freshness = freshness
        self._lessons = lessons
        self._views: dict[Key, _View] = {}

    async def observe(self, key: Key, now: datetime, settled: Stamp | None) -> Sight:
        """Return what is to be seen of a Rollout; Unchanged when its stamp is still `settled`."""
        raw = self._lookups.rollouts.get(key.namespace, key.name)
        if raw is None or is_going(raw):
            left = self._lookups.services.by_index(BY_MANAGER, str(key)) if raw is None else ()
            return Absent(tuple(left))
        try:
            readings = await self._readers.readings(key, raw)
        except PluginError as error:
            return Unreadable(raw, str(error), None)
        return await self._look(key, raw, readings, now, settled)

    async def _look(self, key: Key, raw: Raw, readings: Readings, now: datetime, settled: Stamp | None) -> Sight:
        reference = reference_in(raw)
        if (obstacle := self._obstacle(key, raw, reference)) is not None:
            return obstacle
        view = self._view(key, raw, reference)
        parts = self._gather(key, raw, view, readings)
        if (hidden := self._hidden(raw, view, readings.needed, parts)) is not None:
            return hidden
        stamp = (*parts.stamp, view.workload)
        if stamp == settled:
            return Unchanged()
        if view.observed is None:
            return Unreadable(raw, view.problem, stamp)
        replica_sets = sorted(view.look_at(parts.replica_sets), key=lambda each: (each.created, each.name))
        observed = dataclasses.replace(
            view.observed,
            replica_sets=tuple(replica_sets),
            services=parts.services,
            left=parts.left,
            rivals=parts.rivals,
            refusals=parts.refusals,
            runs=parts.runs,
            experiments=parts.experiments,
            templates=parts.templates,
            objects=parts.objects,
            hidden=parts.hidden,
            unheard=parts.unheard,
        )
        return await self._picture(observed, stamp, now)

    def found_sound(self, key: Key, checked: Observed) -> None:
        """Keep what a picture was found sound with: later ones needn't be checked as long as they say the same."""
        view = self._views.get(key)
        if view is not None and view.observed is not None and view.observed.sound is not checked.sound:
            observed = dataclasses.replace(view.observed, sound=checked.sound)
            self._views[key] = dataclasses.replace(view, observed=observed)

    def reads_by_router(self, key: Key) -> Mapping[str, Reads]:
        """Return what the routers of a Rollout read that was observed."""
        return self._readers.by_router(key)

    def forget(self, key: Key) -> None:
        """Drop what is kept of a Rollout that is gone."""
        self._views.pop(key, None)
        self._readers.forget(key)

    def _obstacle(self, key: Key, raw: Raw, reference: Reference | None) -> NotYet | Unreadable | None:
        """Return what is in the way of looking at all: what we wrote, or a kind that we have just begun to follow."""
        if owed := self._freshness.owed(key):
            return NotYet(tuple(owed))
        if reference is None or self._lookups.workloads.is_known(reference.kind):
            return None
        trouble = self._lookups.workloads.trouble(reference.kind)
        return _out_of_sight(raw, f"spec.workloadRef: {reference} can't be read", trouble)

    def _hidden(self, raw: Raw, view: _View, needed: Reads, parts: _Parts) -> NotYet | Unreadable | None:
        """Return what is in the way of seeing all that the Rollout refers to."""
        if (found := self._lookups.traffic.obstacle(needed)) is not None:
            problem = f"{routing_path(raw)}: {found.what} can't be read"
            return _out_of_sight(raw, problem, found.trouble)
        missing = self._lookups.missing(parts.templates, view.needs)
        return None if missing is None else self._without(raw, *missing)

    def _hidden_left(self, left: Reads) -> Reads:
        """Return what can't be seen, of routers that are to be left; what isn't served isn't there."""
        obstacles = ((each, self._lookups.traffic.obstacle((each,))) for each in left)
        return tuple(each for each, found in obstacles if found is not None and not found.is_unserved)

    def _without(self, raw: Raw, kind: str, purpose: str) -> NotYet | Unreadable:
        return _out_of_sight(raw, f"{purpose}, which can't be read", self._lookups.known.trouble(kind))

    def _view(self, key: Key, raw: Raw, reference: Reference | None) -> _View:
        workload = self._lookups.workloads.get(reference.kind, key.namespace, reference.name) if reference else None
        version = raw["metadata"]["resourceVersion"]
        workload_version = workload["metadata"]["resourceVersion"] if workload is not None else ""
        view = self._views.get(key)
        if view is None or (view.version, view.workload) != (version, workload_version):
            view = self._views[key] = _read(raw, workload, view)
        return view

    def _gather(self, key: Key, raw: Raw, view: _View, readings: Readings) -> _Parts:
        uid = raw["metadata"]["uid"]
        replica_sets = self._lookups.owned(REPLICA_SETS.kind, uid)
        selector = view.observed.selector if view.observed is not None else None
        if selector is not None and selector.requirements:
            orphans = self._lookups.replica_sets.by_index(ORPHANS, key.namespace)
            replica_sets += [each for each in orphans if selector.matches(each["metadata"].get("labels") or {})]
        services: dict[str, Raw | None] = {
            name: self._lookups.services.get(key.namespace, name) for name in service_names(raw)
        }
        marked = self._lookups.services.by_index(BY_MANAGER, str(key))
        left = tuple(each for each in marked if each["metadata"]["name"] not in services)
        rivals = {name: rival for name in services if (rival := self._rival(key, raw, name))}
        return _Parts(
            raw,
            replica_sets,
            services,
            left,
            rivals,
            self._lessons.refused(key, raw),
            runs=self._children(ANALYSIS_RUNS.kind, uid),
            experiments=self._children(EXPERIMENTS.kind, uid),
            templates=closure(iter(view.templates), lambda each: self._lookups.template(each, key.namespace)),
            objects=self._lookups.traffic.picked((*readings.needed, *readings.left)),
            hidden=self._hidden_left(readings.left),
            unheard=readings.unheard,
        )

    def _children(self, kind: str, uid: str) -> tuple[Raw, ...]:
        return tuple(sorted(self._lookups.owned(kind, uid), key=_age))

    def _rival(self, key: Key, raw: Raw, service: str) -> str:
        return rival_of(raw, self._lookups.rollouts.by_index(BY_SERVICE, f"{key.namespace}/{service}"))

    async def _picture(self, observed: Observed, stamp: Stamp, now: datetime) -> Picture:
        """Return the picture, with the pods if the plan needs them."""
        if (wanted := pods_wanted(observed, now)) is None:
            return Picture(observed, stamp)
        try:
            pods = await self._pods(observed, wanted, now)
        except ApiError as error:
            return Picture(observed, None, error)
        return Picture(dataclasses.replace(observed, pods=pods), None)

    async def _pods(self, observed: Observed, selector: str, now: datetime) -> tuple[Pod, ...] | None:
        """List pods. They are read live: it is rare, and pods are too many to keep.

        A ReplicaSet whose pods are to be patched is read live, too. After a start the cache may show it as it was: pods
        must not be made to look like a template of long ago.
        """
        if pending := pending_replica_sets(observed):
            listing = await self._api.list(REPLICA_SETS, observed.namespace, label_selector=str(observed.selector))
            if not is_up_to_date(observed, pending, listing.items):
                return None
        found = await self._api.list(PODS, observed.namespace, label_selector=selector)
        return tuple(observe_pod(each, observed, now) for each in found.items)


def is_going(rollout: Raw) -> bool:
    """Tell whether a Rollout is being deleted: from then on the garbage collector looks after what it owns."""
    return "deletionTimestamp" in rollout["metadata"]


def _read(raw: Raw, workload: Raw | None, before: _View | None) -> _View:
    versions = (raw["metadata"]["resourceVersion"], workload["metadata"]["resourceVersion"] if workload else "")
    try:
        observed = observe_rollout(raw, workload=workload, previous=before.observed if before is not None else None)
    except ValidationError as error:
        return _View(*versions, None, describe(error))
    sets = before.sets if before is not None else {}
    templates, needs = tuple(templates_of(raw)), needs_of(raw)
    return _View(*versions, observed, templates=templates, needs=needs, sets=sets)


def gist(child: Raw) -> Raw:
    """Return what plans may go by of an AnalysisRun or an Experiment: all but its single measurements, and versions."""
    metadata = {key: value for key, value in child["metadata"].items() if key not in _VERSIONS}
    status = {key: value for key, value in (child.get("status") or {}).items() if key != "metricResults"}
    return {**child, "metadata": metadata, "status": status}


def _version(raw: Raw) -> tuple[str, str]:
    """Return what tells versions apart, also those of an object of the same name in another cluster."""
    return raw["metadata"]["uid"], raw["metadata"]["resourceVersion"]


def _mark(child: Raw) -> object:
    """Return what tells if a child is still the same. Most have come to an end: a version says it in fewer bytes."""
    metadata, status = child["metadata"], child.get("status") or {}
    return metadata["resourceVersion"] if status.get("phase") in COMPLETED else gist(child)


def _age(child: Raw) -> tuple[str, str]:
    return child["metadata"].get("creationTimestamp", ""), child["metadata"]["name"]


def _out_of_sight(raw: Raw, problem: str, trouble: str) -> NotYet | Unreadable:
    """Wait for a kind that is only slow to be read; say what else is in the way."""
    if not trouble:
        return NotYet(())
    problem = f"{problem}: {trouble}"
    return Unreadable(raw, problem, (raw["metadata"]["resourceVersion"], problem))
