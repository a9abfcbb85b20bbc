"""What is a metric provider: which requests fetch a measurement, and what do the answers say?

A provider is stateless and does no I/O. It is a generator of requests, over HTTP or about objects of Kubernetes: it
yields one, is sent the answer, and returns what was measured. Whoever runs it sends the requests, within limits of time
and size, keeps secrets out of what is shown, and asks the conditions what the measurement means.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel

from rollouts.api.metrics import Metric
from rollouts.ports.objects import Home, ObjectKind, ObjectRequest, Verb

Spec = TypeVar("Spec", bound=BaseModel)


class MeasurementError(Exception):
    """A measurement that could not be taken; the message says why, and never contains a secret."""


class ObjectError(MeasurementError):
    """An API server's refusal. `reason` is Kubernetes' word for it: Forbidden, Invalid, AlreadyExists, ..."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SecretRef:
    """A Secret that a provider reads. An empty namespace stands for the controller's own."""

    name: str
    namespace: str = ""


SHARED_SETTINGS = SecretRef("rollouts-metric-providers")
"""Holds, by provider, what metrics needn't say: where its server is, and who we are to it."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. `timeout` counts seconds; `verify` is false where the server's certificate isn't checked.

    One that asks for a token may say what its answer can be `reuse`d as: a text that differs for any other identity.
    While the token lives, the same answer is given again without asking, unless a later request is refused (401).
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    timeout: float = 30.0
    verify: bool = True
    reuse: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """The answer to a request, whatever its status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """Which measurement it is: the analysis run that it is for, its metric, its number (from 1) and its beginning.

    They are the same each time the measurement goes on, and when it is taken again because its beginning wasn't
    recorded; only `started_at` is then later. `keep` is how many measurements of the metric are kept.
    `has_conditions` says that conditions judge a Reading; a provider that can judge does so if there are none.
    """

    run: str = ""
    uid: str = ""
    metric: str = ""
    number: int = 1
    started_at: datetime | None = None
    keep: int = 10
    has_conditions: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What a provider gets to know besides its own part of the spec.

    `secrets` holds what `secrets_of` names: None for a Secret that doesn't exist, else its values by key. `settings`
    are the controller's own, by name (an address that templates leave out, for one). `metadata` is what the provider
    noted when it said that this very measurement takes longer, empty at first. `memory` is what it left behind with the
    metric's earlier measurements. `namespace` is the run's, and `began` is when the run did. `is_last` says that the
    metric's count is reached with this measurement, unless it is an error. `turn` says which measurement it is, for
    providers that give names to what they create. `subject` is the Rollout that a router asks for, or
    the AnalysisRun that is measured for, as far as there is one; `metric` is the whole metric, with its arguments
    filled in. `goes_on` tells that the measurement was begun before.
    """

    now: datetime
    namespace: str = ""
    secrets: Mapping[SecretRef, Mapping[str, str] | None] = field(default_factory=dict, repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, str] = field(default_factory=dict)
    began: datetime | None = None
    is_last: bool = False
    turn: Turn = Turn()
    subject: Mapping[str, Any] = field(default_factory=dict, repr=False)
    metric: Mapping[str, Any] = field(default_factory=dict, repr=False)
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured.

    `result` is for the conditions (`rollouts.expr.values` has the types that JSON lacks), `value` is its text for the
    status, `metadata` is for whoever looks at the measurement. `memory` is as in a Verdict.
    """

    result: Any
    value: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoData:
    """The provider answered, and there was nothing in it.

    A metric may say what that means. Where it doesn't, things are as they have always been in this API: an `error`
    where the provider calls it one, else the conditions are asked about `result`.
    """

    because: str
    result: Any = None
    value: str = ""
    error: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The provider has judged by itself: `phase` is Successful, Failed, Inconclusive or Error.

    `memory` is kept with the metric, in the run's status, and shown to the next measurements: a few hundred characters
    of what must outlive the controller. `settles` ends a Successful metric before its count
    is reached.
    """

    phase: str
    value: str = ""
    message: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    memory: Mapping[str, str] = field(default_factory=dict)
    settles: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """The measurement takes longer: ask again after a while, with this metadata.

    Without a time it is the metric's own interval. `message` says what it waits for.
    """

    again_after: timedelta | None
    metadata: Mapping[str, str] = field(default_factory=dict)
    message: str = ""


Outcome = Reading | NoData | Verdict | Pending
Flow = Generator[Request | ObjectRequest, Any, Outcome]
Stopping = Generator[Request | ObjectRequest, Any, None]


class Provider(ABC, Generic[Spec]):
    """One kind of metric provider.

    `key` is its field in `metric.provider` or, for one that the API doesn't know, its name in `metric.provider.plugin`;
    its entry point (group `rollouts.measure`) has the same name. `model` reads what stands there.

    `objects` says what it may do with which objects of Kubernetes, as a Role does, and `paths` below which paths it
    may read, each with `{namespace}` in it. The controller's own Role has to allow it, too.
    """

    key: ClassVar[str]
    model: ClassVar[type[BaseModel]]
    objects: ClassVar[Mapping[ObjectKind, AbstractSet[Verb]]] = {}
    paths: ClassVar[tuple[str, ...]] = ()
    connection: ClassVar[frozenset[str]] = frozenset()
    """Fields of its spec that name the server and who we are to it: they can be set once for all metrics."""
    asks: ClassVar[str] = ""
    """The field of its spec in which another provider stands that it asks, and whose server may be left out."""

    def problems(self, spec: Spec) -> Iterator[tuple[str, str]]:
        """Yield (path below the provider's key, what is wrong and the way out) for each part that can't work.

        Values may still hold `{{args.name}}`, which nothing is known of.
        """
        del spec
        yield from ()

    def secrets_of(self, spec: Spec, namespace: str) -> tuple[SecretRef, ...]:
        """Name the Secrets that `flow` needs, for a run in a namespace."""
        del spec, namespace
        return ()

    def home(self, namespace: str, settings: Mapping[str, str]) -> Home:
        """Say where its objects are, for a run in a namespace: there, unless settings of the controller differ."""
        del settings
        return Home(namespace)

    def metadata_of(self, spec: Spec) -> Mapping[str, str]:
        """Return what is noted with the metric itself, such as the query after its arguments were filled in."""
        del spec
        return {}

    def problems_around(self, spec: Spec, metric: Metric) -> Iterator[tuple[str, str]]:
        """Yield (path below the metric, what is wrong and the way out) where the rest of the metric doesn't fit."""
        del spec, metric
        yield from ()

    @abstractmethod
    def flow(self, spec: Spec, asked: Asked) -> Flow:
        """Yield requests, be sent their answers, return what was measured. Raises MeasurementError.

        A request that fails raises its MeasurementError here, where it may be caught.
        """

    def terminate(self, spec: Spec, asked: Asked) -> Stopping:
        """Yield the requests that stop a pending measurement; most providers have nothing to stop."""
        del spec, asked
        yield from ()

    def beside(self, others: "Mapping[str, AnyProvider]") -> Self:
        """Return this provider, knowing all that are installed, by key; most have no use for them."""
        del others
        return self


AnyProvider = Provider[Any]
