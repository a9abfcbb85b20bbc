"""Does a Gateway keep sessions only while an update lasts, and by the same write as the weights?"""

from dataclasses import replace
from typing import Any

import pytest

from rollouts.plan.affinity import Sticking
from rollouts.ports import Patch, Route
from tests.traffic.affinity import ATTRIBUTES, sticky
from tests.traffic.gateway_api import HTTP_SPEC, ROUTER, canary, live, rule, rules, stable, written
from tests.traffic.routers import OWNER, Json, route, said

SHARED = rule(stable(), matches=[{"path": {"type": "PathPrefix", "value": "/"}}])
KEEPING = replace(OWNER, has_affinity=True, has_sessions=True)


def kept(weight: int, named_by: str = "cookie", seconds: int | None = None, cookie: str = "rollout-web") -> Route:
    """Return a route whose sessions the Gateway keeps."""
    wanted = route(weight)
    return Sticking("default/web", cookie, ATTRIBUTES, wanted.canary.pod_hash, (), named_by, seconds).on(wanted)


def name(wanted: Route) -> str:
    assert wanted.affinity is not None
    assert wanted.affinity.session is not None
    return wanted.affinity.session.name


@pytest.mark.parametrize(
    ("named_by", "seconds", "expected"),
    [
        ("cookie", None, {"cookie": {"name": "NAME", "lifetimeType": "Session", "path": "/"}}),
        ("sessionName", None, {"sessionName": "NAME", "cookieConfig": {"lifetimeType": "Session"}}),
        (
            "sessionName",
            9600 * 3600,
            {"sessionName": "NAME", "cookieConfig": {"lifetimeType": "Permanent"}, "absoluteTimeout": "9600h"},
        ),
        (
            "cookie",
            3661,
            {"cookie": {"name": "NAME", "lifetimeType": "Permanent", "path": "/"}, "absoluteTimeout": "1h1m1s"},
        ),
    ],
)
def test_the_shared_rule_keeps_a_session(named_by: str, seconds: int | None, expected: Json) -> None:
    wanted = kept(20, named_by, seconds)
    (only,) = rules(written(live(SHARED), wanted))
    said = only.pop("sessionPersistence")
    assert only == rule(stable(80), canary(20), matches=SHARED["matches"])
    assert repr(said).replace(name(wanted), "NAME") == repr({"type": "Cookie", **expected})


def test_the_write_must_be_refused_where_the_field_is_unknown_and_only_that_one() -> None:
    assert [needs(kept(20)), needs(sticky(20)), needs(route(0))] == [True, False, False]


def needs(wanted: Route) -> bool:
    objects = live(rule(stable(50), canary(50)))
    (patch,) = ROUTER.write(HTTP_SPEC, OWNER, wanted, objects)
    assert isinstance(patch, Patch)
    return "experimental channel" in patch.needs


@pytest.mark.parametrize("then", [route(0), route(20), route(100)], ids=["abort", "no wish", "the end"])
def test_the_session_goes_with_the_weight(then: Route) -> None:
    before = live(rule(stable(100), canary(0)))
    assert written(written(before, kept(20)), then) == written(before, then)


def test_cookies_and_sessions_replace_each_other() -> None:
    before = live(rule(stable(100), canary(0)))
    assert written(written(before, sticky(20)), kept(20)) == written(before, kept(20))
    assert written(written(before, kept(20)), sticky(20)) == written(before, sticky(20))


def test_another_update_has_other_sessions_and_a_long_name_fits() -> None:
    other = replace(route(20), stable=replace(route(20).stable, pod_hash="before"))
    assert name(kept(20)) == name(kept(40))
    assert name(kept(20)) != name(
        Sticking("default/web", "rollout-web", ATTRIBUTES, other.canary.pod_hash, (), "cookie").on(other)
    )
    assert len(name(kept(20, cookie="c" * 300))) <= 128


def own(**session: Any) -> Json:
    return {**SHARED, "sessionPersistence": session}


@pytest.mark.parametrize("made", [own(sessionName="shop"), own(cookie={"name": "shop"}), own(type="Cookie")])
def test_what_people_have_made_stays_and_is_refused_together_with_ours(made: Json) -> None:
    (only,) = rules(written(live(made), route(20)))
    assert only["sessionPersistence"] == made["sessionPersistence"]
    ((path, text),) = said(ROUTER, HTTP_SPEC, live(made), KEEPING)
    assert path == "httpRoutes[0]"
    assert text.startswith("a rule of HTTPRoute web has sessionPersistence")


def test_one_rule_keeps_sessions() -> None:
    ((path, text),) = said(ROUTER, HTTP_SPEC, live(SHARED, SHARED), KEEPING)
    assert path == "httpRoutes[0]"
    assert text.startswith("HTTPRoute web shares out 2 rules, and a session is kept for one: name one in rules")
    assert said(ROUTER, HTTP_SPEC, written(live(SHARED), kept(20)), KEEPING) == []
