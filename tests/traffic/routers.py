"""What do routers write, one Route after the other?"""

from collections.abc import Mapping
from typing import Any

from rollouts.api.base import parse
from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.ports import Destination, Objects, Owner, Reference, Route, picked
from rollouts.ports.router import AnyRouter
from rollouts.ports.testing import applied
from rollouts.traffic.owned import owned_by

Json = dict[str, Any]

OWNER = Owner("web", "default", "uid-web", "web-canary", "web-stable")
PAIR = Owner("web", "default", "uid-web", has_ping_pong=True)
OURS = {"ownerReferences": owned_by(OWNER)}
BY_OTHERS = {"ownerReferences": owned_by(Owner("shop", "default", "uid-shop"))}


def route(weight: int, *, max_weight: int = 100, **more: Any) -> Route:
    """Return a Route; `headers` and `mirrors` are as a manifest has them, `additional` are weights by Service."""
    extra = tuple(Destination(name, name, share) for name, share in more.get("additional", {}).items())
    return Route(
        Destination("web-canary", "c", weight),
        Destination("web-stable", "s", max_weight - weight - sum(each.weight for each in extra)),
        extra,
        max_weight,
        tuple(parse(SetHeaderRoute, each) for each in more.get("headers", ())),
        tuple(parse(SetMirrorRoute, each) for each in more.get("mirrors", ())),
    )


def header_route(name: str, *, header: str = "X-Version", **value: str) -> Json:
    """Return a setHeaderRoute; `value` is exact, prefix or regex."""
    return {"name": name, "match": [{"headerName": header, "headerValue": value}]}


def raw_object(reference: Reference, spec: Mapping[str, Any], **metadata: Any) -> dict[Reference, Json]:
    """Return an object as the API server has it."""
    names = {"name": reference.name, "namespace": reference.namespace}
    return {reference: {"kind": reference.kind, "metadata": {**names, **metadata}, "spec": dict(spec)}}


def written(router: AnyRouter, spec: Any, wanted: Route, objects: Objects, owner: Owner = OWNER) -> Objects:
    """Return the objects once a Route is written, and see that it is written once."""
    after = applied(objects, router.write(spec, owner, wanted, picked(router.reads(spec, owner), objects)))
    assert router.write(spec, owner, wanted, picked(router.reads(spec, owner), after)) == ()
    return after


def said(router: AnyRouter, spec: Any, objects: Objects | None, owner: Owner = OWNER) -> list[tuple[str, str]]:
    """Return the problems."""
    return list(router.problems(spec, owner, objects))
