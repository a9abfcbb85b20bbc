"""What is a traffic router: which objects say who gets which share of the traffic, and what makes them say a Route?

A router is a stateless, pure translator. It is given the whole Route each time and answers with the writes that are
still due: none once its objects are as the Route says. What it doesn't own it neither deletes nor puts in another
order. When which Route is safe is not its concern: the planner decides that.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.api.selectors import Selector
from rollouts.ports.affinity import Affinity
from rollouts.ports.objects import ObjectKind
from rollouts.ports.provider import Asked
from rollouts.ports.question import Answers, Asking, Question

Raw = Mapping[str, Any]
Spec = TypeVar("Spec")


class Ability(Enum):
    """What a router may be able to do beyond shares; a spec that asks for more is refused."""

    MAX_WEIGHT = "maxTrafficWeight"
    PING_PONG = "pingPong"
    HEADER_ROUTES = "setHeaderRoute"
    MIRROR_ROUTES = "setMirrorRoute"
    EXPERIMENTS = "weights of experiments"
    SESSION_AFFINITY = "sessionAffinity"
    SESSION_PERSISTENCE = "sessionPersistence"
    QUERY_PARAMETERS = "setHeaderRoute by query parameters"


@dataclass(frozen=True, slots=True)
class Reference:
    """Which object is meant, whatever version of its API group is served. The core group's name is empty."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


Objects = Mapping[Reference, Raw | None]
"""Objects as the API server has them; None stands for one that doesn't exist."""


@dataclass(frozen=True, slots=True)
class Selected:
    """All objects of a kind in a namespace whose labels match, however many there are at the moment."""

    group: str
    kind: str
    namespace: str
    selector: Selector

    def matches(self, reference: Reference, raw: Raw) -> bool:
        """Tell whether an object is one of them."""
        place = (reference.group, reference.kind, reference.namespace)
        labels = raw.get("metadata", {}).get("labels") or {}
        return place == (self.group, self.kind, self.namespace) and self.selector.matches(labels)

    def __str__(self) -> str:
        return f"{self.kind}s with {self.selector or 'any labels'}"


Reads = tuple[Reference | Selected, ...]


def picked(reads: Reads, objects: Objects) -> dict[Reference, Raw | None]:
    """Return what is read, out of all objects: None for what is named and doesn't exist."""
    found: dict[Reference, Raw | None] = {}
    for each in reads:
        if isinstance(each, Reference):
            found[each] = objects.get(each)
        else:
            found |= {place: raw for place, raw in objects.items() if raw is not None and each.matches(place, raw)}
    return found


@dataclass(frozen=True, slots=True)
class Destination:
    """One end of a route. `service` is empty where traffic is split by pod hashes rather than by Services."""

    service: str
    pod_hash: str
    weight: int


@dataclass(frozen=True, slots=True)
class Route:
    """Who gets which traffic, whole: the weights add up to `max_weight`.

    `additional` are the pods of experiments; `headers` and `mirrors` are the managed routes in force, in the order of
    trafficRouting.managedRoutes. A managed route that isn't there is to be removed. A condition of a header route is
    on a header, which a cookie has become already, or on a query parameter if the router has that ability. Header
    routes come before `affinity`, which is there while clients stay on the side that they were given.
    """

    canary: Destination
    stable: Destination
    additional: tuple[Destination, ...] = ()
    max_weight: int = 100
    headers: tuple[SetHeaderRoute, ...] = ()
    mirrors: tuple[SetMirrorRoute, ...] = ()
    affinity: Affinity | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """The Rollout whose traffic it is. Services that its spec doesn't name are empty; of a ping-pong pair both are.

    `managed_routes` are the names of trafficRouting.managedRoutes, the most important first. Routes of these names are
    the Rollout's own, whether they are in force or not. `has_affinity` tells that routes may have an affinity,
    `has_sessions` that it is by sessions which the router keeps.
    """

    name: str
    namespace: str
    uid: str
    canary_service: str = ""
    stable_service: str = ""
    has_ping_pong: bool = False
    managed_routes: tuple[str, ...] = ()
    has_affinity: bool = False
    has_sessions: bool = False

    @property
    def rollout(self) -> str:
        """The Rollout as namespace/name: what objects that several share say of whose something is."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the objects tell about the traffic itself.

    `verified` is whether the traffic has been seen to follow what the objects say now, None where that can't be known.
    `because` says what is still missing.
    """

    verified: bool | None = None
    because: str = ""


@dataclass(frozen=True, slots=True)
class Create:
    """Create an object, whole but for what its reference says: apiVersion, kind, name and namespace are added."""

    reference: Reference
    body: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class Patch:
    """Merge a patch (RFC 7386) into the version of an object that was seen; lists are replaced whole.

    With `needs` the API server must refuse it rather than drop a field that it doesn't know. It is told to users then:
    what has to be there, and the way out.
    """

    reference: Reference
    body: Raw
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete the version of an object that was seen."""

    reference: Reference


Write = Create | Patch | Delete


class Router(ABC, Generic[Spec]):
    """One kind of traffic router.

    `key` is its field in `spec.strategy.canary.trafficRouting` or, for a router that the API doesn't know, its name in
    `trafficRouting.plugins`; its entry point has the same name. `model` reads what stands there. `most_weight` is the
    greatest weight that its objects can hold, None where there is no limit. `header_matches` are the comparisons that
    it knows for the values of headers and query parameters. `lists` are the kinds of objects that its questions may
    list, in the Rollout's namespace; `states` are the fields of a Rollout's status that are its own. One that `tells`
    writes no objects: who answers its questions does, and until then its route isn't in force.

    `asks_by` is the setting of the controller without which nobody asks its questions: what its objects say counts as
    followed then.

    `clusters` has API groups whose objects may be in another cluster, each with the label of the Secret in the
    controller's namespace that holds that cluster's kubeconfig; without such a Secret it is the controller's own.

    `asks_by` and `clusters` count for routers of this distribution only.
    """

    key: ClassVar[str]
    model: ClassVar[type[BaseModel]]
    abilities: ClassVar[frozenset[Ability]] = frozenset()
    most_weight: ClassVar[int | None] = None
    header_matches: ClassVar[tuple[str, ...]] = ("exact", "prefix", "regex")
    lists: ClassVar[frozenset[ObjectKind]] = frozenset()
    states: ClassVar[frozenset[str]] = frozenset()
    tells: ClassVar[bool] = False
    asks_by: ClassVar[str] = ""
    clusters: ClassVar[Mapping[str, str]] = MappingProxyType({})

    def needs_services(self, spec: Spec) -> bool:
        """Whether canaryService and stableService must be named, unless there is a ping-pong pair."""
        del spec
        return True

    def problems(self, spec: Spec, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        """Yield (path below the router's key, what is wrong and the way out) for each part that can't work.

        `objects` has what `reads` names; it is None where a manifest is looked at without a cluster.
        """
        del spec, owner, objects
        yield from ()

    def unserved(self, spec: Spec, managed: SetHeaderRoute | SetMirrorRoute) -> Iterator[tuple[str, str]]:
        """Yield (path below the managed route, what is wrong and the way out) where nothing the spec names can have it.

        It is asked only for what the router is able to do.
        """
        del spec, managed
        yield from ()

    @abstractmethod
    def reads(self, spec: Spec, owner: Owner) -> Reads:
        """Name every object that decides about the traffic or is written, by its name or by its labels."""

    def seen(self, spec: Spec, owner: Owner, objects: Objects) -> Seen:
        """Say whether the traffic follows the objects. Most routers can't know."""
        del spec, owner, objects
        return Seen()

    def questions(self, spec: Spec, owner: Owner, route: Route, objects: Objects) -> tuple[Question, ...]:
        """Name what is to be asked outside of the cluster until it is known that traffic follows a route.

        The objects say the route already. Most routers ask nobody.
        """
        del spec, owner, route, objects
        return ()

    def ask(self, question: Question, asked: Asked) -> Asking:
        """Yield the requests that answer a question of this router's, and return what was found.

        Raises MeasurementError where nobody can say.
        """
        del question, asked
        yield from ()
        raise AssertionError("a router that names questions asks them")

    def state(self, spec: Spec, answers: Answers) -> Mapping[str, Any]:
        """Return what the Rollout's status is to tell of the answers, below the fields that `states` names."""
        del spec, answers
        return {}

    @abstractmethod
    def write(self, spec: Spec, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        """Return what brings the objects to `route`; nothing where they are there already."""

    def leave(self, spec: Spec, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        """Return what takes the Rollout's hands off its objects, once the spec doesn't name the router any more.

        `route` sends everything to stable. What was added goes; an object that people have made works as before,
        without the canary. Nothing is created, and nothing is due once it has been done.
        """
        return tuple(each for each in self.write(spec, owner, route, objects) if not isinstance(each, Create))


AnyRouter = Router[Any]
