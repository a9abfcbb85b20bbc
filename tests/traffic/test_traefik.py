"""Which weights does a TraefikService get?"""

from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import TraefikTrafficRouting
from rollouts.ports import Objects, Patch, Reference
from rollouts.traffic.traefik import Traefik
from tests.traffic.routers import OWNER, PAIR, Json, raw_object, route, said, written

ROUTER = Traefik()
SPEC = parse(TraefikTrafficRouting, {"weightedTraefikServiceName": "web"})
SERVICE = Reference("traefik.io", "TraefikService", "default", "web")


def entry(name: str, **fields: Any) -> Json:
    return {"name": name, "port": 80, **fields}


def live(*services: Json, **weighted: Any) -> dict[Reference, Json]:
    return raw_object(SERVICE, {"weighted": {**weighted, "services": list(services)}})


BOTH = live(entry("web-canary"), entry("web-stable", scheme="h2c"))


def services(objects: Objects) -> list[Json]:
    found: list[Json] = (objects[SERVICE] or {})["spec"]["weighted"]["services"]
    return found


def test_both_weights_are_set_and_the_rest_stays() -> None:
    sticky = {"cookie": {"name": "web"}}
    after = written(ROUTER, SPEC, route(5), live(entry("web-canary"), entry("web-stable", scheme="h2c"), sticky=sticky))
    assert services(after) == [entry("web-canary", weight=5), entry("web-stable", scheme="h2c", weight=95)]
    assert (after[SERVICE] or {})["spec"]["weighted"]["sticky"] == sticky


def test_one_write_says_all() -> None:
    wanted = [entry("web-canary", weight=0), entry("web-stable", scheme="h2c", weight=100)]
    assert ROUTER.write(SPEC, OWNER, route(0), BOTH) == (Patch(SERVICE, {"spec": {"weighted": {"services": wanted}}}),)


def test_services_of_others_keep_their_weights() -> None:
    others = (
        entry("docs", weight=3),
        entry("web-canary", kind="TraefikService", weight=7),
        entry("web-stable", namespace="edge", weight=8),
    )
    after = written(
        ROUTER, SPEC, route(40), live(*others, entry("web-stable"), entry("web-canary", namespace="default"))
    )
    assert services(after)[:3] == list(others)
    assert [each["weight"] for each in services(after)[3:]] == [60, 40]


def test_fine_weights() -> None:
    assert [each["weight"] for each in services(written(ROUTER, SPEC, route(1, max_weight=1000), BOTH))] == [1, 999]


def test_nothing_is_written_where_there_is_nothing_to_weigh() -> None:
    assert ROUTER.write(SPEC, OWNER, route(5), {SERVICE: None}) == ()
    assert ROUTER.write(SPEC, OWNER, route(5), raw_object(SERVICE, {"mirroring": {"name": "web"}})) == ()


NAME = "weightedTraefikServiceName"
ROWS: dict[str, tuple[Objects, list[tuple[str, str]]]] = {
    "it doesn't exist": (
        {SERVICE: None},
        [(NAME, "TraefikService web doesn't exist in namespace default: create it, in the API group traefik.io")],
    ),
    "it isn't weighted": (
        raw_object(SERVICE, {"mirroring": {"name": "web"}}),
        [(NAME, "TraefikService web has no spec.weighted.services: list canaryService and stableService there")],
    ),
    "a Service is missing": (
        live(entry("web-stable"), entry("web-canary", kind="TraefikService")),
        [(NAME, "TraefikService web doesn't list the canary Service web-canary: add it to spec.weighted.services")],
    ),
    "all is well": (BOTH, []),
}


@pytest.mark.parametrize("name", ROWS)
def test_problems(name: str) -> None:
    objects, expected = ROWS[name]
    assert said(ROUTER, SPEC, objects) == expected


def test_the_name_is_empty() -> None:
    empty = parse(TraefikTrafficRouting, {"weightedTraefikServiceName": ""})
    assert said(ROUTER, empty, None) == [(NAME, "is empty: name a TraefikService")]


def test_of_a_pair_the_names_are_not_known() -> None:
    assert said(ROUTER, SPEC, live(entry("ping"), entry("pong")), PAIR) == []
