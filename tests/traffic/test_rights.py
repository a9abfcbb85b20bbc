"""May the controller do with routers' objects what routers do, and nothing else?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from rollouts.ports import Create, Delete, Objects, Patch, Reference, Selected
from rollouts.ports.testing import RouterConformance, applied
from tests.routing import KEY
from tests.traffic import test_routers_conform

MANIFESTS = Path(__file__).parents[2] / "manifests"
ROLES = ("cluster-install/cluster-role.yaml", "namespace-install/role.yaml")
SEES = {"get", "list", "watch"}
VERBS = {Create: "create", Patch: "patch", Delete: "delete"}
Kind = tuple[str, str]


def kind_of(read: Reference | Selected) -> Kind:
    """Return the group and the resource of what is read; English decides about the plural."""
    singular = read.kind.lower()
    endings = {"s": "ses", "y": "ies"}
    return read.group, singular[:-1] + endings.get(singular[-1], f"{singular[-1]}s")


def uses(test: RouterConformance) -> Iterator[tuple[Kind, str]]:
    """Yield each verb that a router needs, while it goes through all that it can do."""
    for spec in test.specs:
        live: Objects = dict(test.objects)
        for read in test.router.reads(spec, test.owner):
            yield from ((kind_of(read), verb) for verb in SEES)
        for route in test._routes():
            writes = test.router.write(spec, test.owner, route, test._read(spec, live))
            yield from ((kind_of(each.reference), VERBS[type(each)]) for each in writes)
            live = applied(live, writes)
        left = test.router.leave(spec, test.owner, test._route(0), test._read(spec, live))
        yield from ((kind_of(each.reference), VERBS[type(each)]) for each in left)


def conformances() -> list[type[RouterConformance]]:
    """Return the tests of routers, which stand in another module."""
    every = vars(test_routers_conform).values()
    return [each for each in every if isinstance(each, type) and RouterConformance in each.__bases__]


def needed() -> dict[Kind, set[str]]:
    found: dict[Kind, set[str]] = {}
    for each in conformances():
        if each.router.key == KEY:
            continue
        for kind, verb in uses(each()):
            found.setdefault(kind, set()).add(verb)
    return found


def granted(role: str) -> dict[Kind, set[str]]:
    documents = list(yaml.safe_load_all((MANIFESTS / role).read_text()))
    rules = [rule for each in documents if each["kind"] in {"Role", "ClusterRole"} for rule in each.get("rules") or ()]
    found: dict[Kind, set[str]] = {}
    for rule in rules:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                found.setdefault((group, resource), set()).update(rule["verbs"])
    return found


@pytest.mark.parametrize("role", ROLES)
def test_the_controller_may_do_what_routers_do_and_no_more(role: str) -> None:
    given, wanted = granted(role), needed()
    assert {kind: given.get(kind, set()) for kind in wanted} == wanted
