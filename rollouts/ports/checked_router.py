"""Does a stranger's traffic router do what its port says? It stands between the router and whoever asks it.

Where to write is what a router chooses, with the rights of the controller: objects that give rights, hold credentials
or run code are none of its business, nor are other namespaces.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.api.merging import merged
from rollouts.api.selectors import Selector
from rollouts.ports.checked import CheckedModel, Checks, PluginError, cut
from rollouts.ports.checked_flow import checked_flow
from rollouts.ports.objects import ObjectKind
from rollouts.ports.provider import Asked
from rollouts.ports.question import Asking, Found, Question
from rollouts.ports.router import (
    Ability,
    AnyRouter,
    Create,
    Delete,
    Objects,
    Owner,
    Patch,
    Reads,
    Reference,
    Route,
    Router,
    Seen,
    Selected,
    Write,
    picked,
)

MOST_READS = 100
MOST_QUESTIONS = 20
LARGEST_OBJECT = 512 * 1024
"""Characters of a body; what the API server's own store can take is about three times as much."""

_GROUPS_OF_POWER = frozenset(
    {
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "apps",
        "argoproj.io",
        "batch",
        "certificates.k8s.io",
        "policy",
        "rbac.authorization.k8s.io",
    }
)
_KINDS_OF_POWER = frozenset({"Namespace", "Node", "PersistentVolume", "Pod", "Secret", "ServiceAccount"})
_LONGEST_REASON = 128
_METADATA = frozenset({"labels", "annotations", "ownerReferences"})


class CheckedRouter(Router[Any]):
    """A router that raises nothing but PluginError, and writes to nothing but what it has been shown."""

    def __init__(self, router: AnyRouter, name: str, origin: str) -> None:
        self._router = router
        self._checks = checks = Checks("traffic router", name, origin)
        self.key = name  # type: ignore[misc] # each of these stands for another router
        self.model = CheckedModel(router.model, checks)  # type: ignore[misc,assignment]
        self.abilities = frozenset(Ability(each) for each in router.abilities)  # type: ignore[misc]
        self.header_matches = tuple(map(str, router.header_matches))  # type: ignore[misc]
        self.most_weight = None if router.most_weight is None else int(router.most_weight)  # type: ignore[misc]
        self.lists = frozenset(router.lists)  # type: ignore[misc]
        if router.states:
            raise checks.broken("it claims fields of the Rollout's status, which have to be in the API's definition")
        for each in self.lists:
            if not isinstance(each, ObjectKind) or _has_power(each.group, each.kind):
                raise checks.broken(f"it asks to list {cut(str(each), 200)}, which no router of others may read")

    def needs_services(self, spec: Any) -> bool:
        return self._checks.call("needs_services", bool, lambda: self._router.needs_services(spec))

    def problems(self, spec: Any, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        yield from self._checks.problems(lambda: self._router.problems(spec, owner, deepcopy(objects)))

    def unserved(self, spec: Any, managed: SetHeaderRoute | SetMirrorRoute) -> Iterator[tuple[str, str]]:
        yield from self._checks.problems(lambda: self._router.unserved(spec, managed))

    def reads(self, spec: Any, owner: Owner) -> Reads:
        reads = self._checks.call("reads", tuple, lambda: self._router.reads(spec, owner))
        if not 0 < len(reads) <= MOST_READS:
            raise self._checks.broken(f"reads names {len(reads)} objects: it must be from 1 to {MOST_READS}")
        for each in reads:
            self._look_at(each, owner)
        return reads

    def seen(self, spec: Any, owner: Owner, objects: Objects) -> Seen:
        seen = self._checks.call("seen", Seen, lambda: self._router.seen(spec, owner, deepcopy(objects)))
        because = self._reason("seen", seen.because)
        if seen.verified not in (None, True, False) or (seen.verified is False and not because.strip()):
            raise self._checks.broken("seen doesn't say what the traffic follows, or not why it doesn't")
        return Seen(seen.verified, because)

    def questions(self, spec: Any, owner: Owner, route: Route, objects: Objects) -> tuple[Question, ...]:
        def ask() -> Any:
            return self._router.questions(spec, owner, route, deepcopy(objects))

        found = self._checks.call("questions", tuple, ask)
        if not all(isinstance(each, Question) for each in found) or len(found) > MOST_QUESTIONS:
            raise self._checks.broken(f"questions returned something else than at most {MOST_QUESTIONS} questions")
        kept = tuple(Question(self.key, self._reason("questions", each.about), each.facts) for each in found)
        self._checks.call("questions", int, lambda: hash(kept))
        if self._checks.call("questions", tuple, ask) != found:
            raise self._checks.broken("questions asks something else each time")
        return kept

    def ask(self, question: Question, asked: Asked) -> Asking:
        found = yield from checked_flow(self._checks, "ask", lambda: self._router.ask(question, asked))
        if not isinstance(found, Found) or not isinstance(found.verified, bool):
            raise self._checks.broken("ask returned no Found that says yes or no")
        because, error = (self._reason("ask", each) for each in (found.because, found.error))
        return Found(found.verified, because, cut(self._checks.text("ask", found.reason), _LONGEST_REASON), error)

    def write(self, spec: Any, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        return self._settled("write", self._router.write, spec, owner, route, objects)

    def leave(self, spec: Any, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        writes = self._settled("leave", self._router.leave, spec, owner, route, objects)
        if any(isinstance(each, Create) for each in writes):
            raise self._checks.broken("leave creates an object, which nobody would give back")
        return writes

    def _settled(
        self, what: str, work: Callable[..., Any], spec: Any, owner: Owner, route: Route, objects: Objects
    ) -> tuple[Write, ...]:
        """Return writes after which no more are asked for."""

        def written(live: Objects) -> tuple[Write, ...]:
            asked = self._checks.call(what, tuple, lambda: work(spec, owner, route, deepcopy(live)))
            if len({getattr(each, "reference", None) for each in asked}) != len(asked):
                raise self._checks.broken(f"{what} writes to one object twice")
            return tuple(self._checked_write(what, spec, owner, each, live) for each in asked)

        writes = written(objects)
        if writes:
            live = {**objects, **{each.reference: _after(each, objects) for each in writes}}
            if again := written(picked(self.reads(spec, owner), live)):
                says = f"{what} asks for more once {writes[0].reference} is as it wants it"
                raise self._checks.broken(f"{says}: {type(again[0]).__name__} {again[0].reference}, and so on")
        return writes

    def _reason(self, what: str, text: object) -> str:
        return cut(self._checks.text(f"a text of {what}", text))

    def _checked_write(self, what: str, spec: Any, owner: Owner, write: Any, objects: Objects) -> Write:
        if not isinstance(write, Create | Patch | Delete) or not isinstance(write.reference, Reference):
            raise self._checks.broken(f"{what} returned a {type(write).__name__}, which is no write")
        self._look_at(write.reference, owner)
        live = objects.get(write.reference)
        if isinstance(write, Create):
            if live is not None or not self._is_read(spec, owner, write):
                raise self._checks.broken(f"{what} creates {write.reference}, which exists or isn't read")
        elif live is None:
            raise self._checks.broken(f"{what} changes {write.reference}, which doesn't exist or isn't read")
        if isinstance(write, Delete):
            if not _belongs(live or {}, owner):
                raise self._checks.broken(f"{what} deletes {write.reference}, which doesn't belong to the Rollout")
            return write
        return type(write)(write.reference, self._body(write, owner))

    def _is_read(self, spec: Any, owner: Owner, write: Create) -> bool:
        """Whether what is created will be seen: otherwise it would be created again and again."""
        body = write.body if isinstance(write.body, Mapping) else {}

        def is_read() -> bool:
            return write.reference in picked(self.reads(spec, owner), {write.reference: body})

        return self._checks.call("write", bool, is_read, (PluginError,))

    def _look_at(self, place: object, owner: Owner) -> None:
        """Raise PluginError where an object is none that a router may see."""
        if not isinstance(place, Reference | Selected):
            raise self._checks.broken(f"reads names a {type(place).__name__}, which is no object")
        named = (place.kind, place.namespace, place.name if isinstance(place, Reference) else "any")
        if not isinstance(place.group, str) or not all(isinstance(each, str) and each for each in named):
            raise self._checks.broken("reads names an object without a kind, a namespace or a name")
        if isinstance(place, Selected) and not isinstance(place.selector, Selector):
            raise self._checks.broken(f"reads selects {place.kind}s by something that is no selector")
        if place.namespace != owner.namespace:
            says = f"{cut(str(place), 200)} is in namespace {place.namespace}, the Rollout in {owner.namespace}"
            raise self._checks.broken(f"{says}: a router of others stays in the namespace of its Rollout")
        if _has_power(place.group, place.kind):
            raise self._checks.broken(
                f"it asks for {cut(str(place), 200)}, which no router of others may read or write"
            )

    def _body(self, write: Create | Patch, owner: Owner) -> dict[str, Any]:
        """Return a body as the API server will give it back: plain JSON, not endless, and of the object's own."""
        what = f"the body for {write.reference}"
        text = self._checks.call(what, str, lambda: json.dumps(write.body, allow_nan=False))
        if not isinstance(write.body, Mapping) or len(text) > LARGEST_OBJECT:
            raise self._checks.broken(f"{what} is no object of at most {LARGEST_OBJECT} characters")
        body: dict[str, Any] = json.loads(text)
        metadata = body.get("metadata") or {}
        if not isinstance(metadata, dict) or not metadata.keys() <= _METADATA:
            raise self._checks.broken(f"{what} sets more of its metadata than {', '.join(sorted(_METADATA))}")
        if metadata.get("ownerReferences") and not _belongs(body, owner):
            raise self._checks.broken(f"{what} gives it to another owner")
        return body


def _has_power(group: str, kind: str) -> bool:
    return group in _GROUPS_OF_POWER or (not group and kind in _KINDS_OF_POWER)


def _after(write: Write, objects: Objects) -> Mapping[str, Any] | None:
    """Return an object as it is once a write is done."""
    if isinstance(write, Delete):
        return None
    place, live = write.reference, objects.get(write.reference)
    named = {"kind": place.kind, "metadata": {"name": place.name, "namespace": place.namespace}}
    after: Mapping[str, Any] = merged(live or named, write.body)
    return after


def _belongs(raw: Mapping[str, Any], owner: Owner) -> bool:
    """Whether an object has the Rollout for its only owner."""
    references = raw.get("metadata", {}).get("ownerReferences")
    return isinstance(references, list) and [each.get("uid") for each in references if isinstance(each, dict)] == [
        owner.uid
    ]
