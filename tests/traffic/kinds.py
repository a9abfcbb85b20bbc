"""Objects of any kind that a router reads, routes for them, and what is written."""

from collections.abc import Mapping
from typing import Any

from rollouts.api.base import parse
from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.ports import Destination, Objects, Owner, Reference, Route, picked
from rollouts.ports.router import AnyRouter
from rollouts.ports.testing import applied

Json = dict[str, Any]
Live = dict[Reference, Mapping[str, Any]]

OWNER = Owner("web", "default", "uid-web", "web-canary", "web-stable")
BETA: Json = {"name": "beta", "match": [{"headerName": "X-Version", "headerValue": {"exact": "beta"}}]}


def mirror(*match: Json, percentage: int | None = None) -> Json:
    """Return a mirror route for requests that match one of these, or for all."""
    share = {} if percentage is None else {"percentage": percentage}
    return {"name": "copy", "match": list(match) or [{"path": {"prefix": "/"}}], **share}


def live(reference: Reference, spec: Json, **metadata: Any) -> Live:
    """Return an object as the API server has it."""
    names = {"name": reference.name, "namespace": reference.namespace}
    return {reference: {"kind": reference.kind, "metadata": {**names, **metadata}, "spec": spec}}


def header(name: str = "X-Version", **value: str) -> Json:
    """Return a header route with one header."""
    return {"name": "beta", "match": [{"headerName": name, "headerValue": value}]}


def route(weight: int, **more: Any) -> Route:
    """Return a Route; `headers` are as a manifest has them, `additional` are weights by Service."""
    extra = tuple(Destination(name, f"hash-{name}", share) for name, share in more.get("additional", {}).items())
    return Route(
        Destination("web-canary", more.get("canary", "c"), weight),
        Destination("web-stable", "s", 100 - weight - sum(each.weight for each in extra)),
        extra,
        100,
        tuple(parse(SetHeaderRoute, each) for each in more.get("headers", ())),
        tuple(parse(SetMirrorRoute, each) for each in more.get("mirrors", ())),
    )


def written(router: AnyRouter, spec: Any, objects: Objects, wanted: Route) -> Objects:
    """Return the objects once a Route is written, and see that it is written once."""
    after = applied(objects, router.write(spec, OWNER, wanted, picked(router.reads(spec, OWNER), objects)))
    assert router.write(spec, OWNER, wanted, picked(router.reads(spec, OWNER), after)) == ()
    return after


def problems(router: AnyRouter, spec: Any, objects: Objects | None = None) -> list[tuple[str, str]]:
    return list(router.problems(spec, OWNER, objects))
