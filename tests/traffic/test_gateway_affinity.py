"""Which rules and filters keep clients on their side, and what is left of them?"""

import re
from dataclasses import replace

import pytest

from rollouts.traffic.cookies import with_value
from tests.traffic.affinity import affinity, of_another_update, sticking, sticky
from tests.traffic.gateway_api import (
    HTTP_SPEC,
    ROUTER,
    backend,
    canary,
    live,
    reference,
    rule,
    rules,
    spec,
    stable,
    weights,
    written,
)
from tests.traffic.routers import OWNER, Json, header_route, route, said

SHARED = rule(stable(), matches=[{"path": {"type": "PathPrefix", "value": "/"}}])
STICKY = replace(OWNER, has_affinity=True)


def set_cookie(header: str) -> list[Json]:
    return [
        {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "Set-Cookie", "value": header}]}}
    ]


def cookie(each: Json) -> str:
    """Return the expression by which a rule asks for a cookie."""
    (match,) = each["matches"]
    (header,) = match["headers"]
    assert (header["type"], header["name"]) == ("RegularExpression", "Cookie")
    return str(header["value"])


def test_new_clients_are_told_their_side_and_those_that_come_again_go_there() -> None:
    wanted = sticky(20)
    to_canary, to_stable, shared = rules(written(live(SHARED), wanted))
    known = affinity(wanted)
    assert shared == rule(
        {**stable(80), "filters": set_cookie(known.to_stable)},
        {**canary(20), "filters": set_cookie(known.to_canary)},
        matches=SHARED["matches"],
    )
    assert (to_canary["name"], weights(to_canary)) == ("sticky-canary", {"web-canary": 1})
    assert (to_stable["name"], weights(to_stable)) == ("sticky-stable", {"web-stable": 1})
    assert re.fullmatch(cookie(to_canary), f"a=b; rollout-web={known.canary}; c=d")
    assert not re.fullmatch(cookie(to_canary), f"rollout-web={known.stable}")
    assert re.search(cookie(to_stable), f"rollout-web={known.stable}")


def test_when_the_weight_goes_up_some_of_stables_clients_get_the_canary() -> None:
    before, wanted = sticky(10), sticky(20, 10)
    _, to_stable, anew, _ = rules(written(written(live(SHARED), before), wanted))
    assert (anew["name"], weights(anew)) == ("sticky-anew", {"web-stable": 80, "web-canary": 10})
    assert re.fullmatch(cookie(anew), f"rollout-web={affinity(before).stable}")
    assert not re.fullmatch(cookie(to_stable), f"rollout-web={affinity(before).stable}")
    told = [each["filters"] for each in anew["backendRefs"]]
    assert told == [set_cookie(affinity(wanted).to_stable), set_cookie(affinity(wanted).to_canary)]


@pytest.mark.parametrize("weight", [0, 100])
def test_nothing_is_left_once_one_side_has_all(weight: int) -> None:
    named = rule(stable(100), canary(0), backend("docs", 5), matches=SHARED["matches"])
    end = rules(written(written(live(named), sticky(20)), sticky(weight)))
    assert end == rules(written(live(named), route(weight)))


def test_a_cookie_of_an_update_before_is_replaced() -> None:
    first = sticky(20)
    second = of_another_update(first)
    assert affinity(first).canary != affinity(second).canary
    assert rules(written(written(live(SHARED), first), second)) == rules(written(live(SHARED), second))


def test_without_its_annotation_a_cookie_is_still_known_to_be_ours() -> None:
    objects = written(live(SHARED), sticky(20))
    *_, shared = rules(objects)
    (end,) = rules(written(live(shared), route(0)))
    assert weights(end) == {"web-stable": 100, "web-canary": 0}
    assert not any("filters" in each for each in end["backendRefs"])


def test_filters_of_people_stay() -> None:
    theirs = [
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["X-Debug"]}},
        {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "X-Side", "value": "stable"}]}},
    ]
    begin = live(rule({**stable(100), "filters": theirs}, canary(0), matches=SHARED["matches"]))
    objects = written(begin, sticky(20))
    *_, shared = rules(objects)
    filters = shared["backendRefs"][0]["filters"]
    assert filters[0] == theirs[0]
    assert [each["name"] for each in filters[1]["responseHeaderModifier"]["add"]] == ["X-Side", "Set-Cookie"]
    assert rules(written(objects, route(0))) == rules(begin)


def test_header_routes_come_first_and_a_mirror_has_its_own() -> None:
    wanted = sticky(
        20,
        headers=[header_route("beta", exact="beta")],
        mirrors=[{"name": "copy", "match": [{"method": {"exact": "GET"}}]}],
    )
    found = rules(written(live(SHARED), wanted))
    names = ["beta", "sticky-canary", "sticky-stable", "copy", "sticky-canary-2", "sticky-stable-2", None]
    assert [each.get("name") for each in found] == names
    _, of_mirror, *_ = found
    assert of_mirror["filters"] == found[3]["filters"]
    assert of_mirror["matches"][0]["method"] == "GET"


def test_a_rule_whose_backends_are_drained_is_left_alone() -> None:
    drained = rule(stable(0), backend("sorry", 1), matches=SHARED["matches"])
    assert rules(written(live(drained), sticky(20))) == [drained]


def test_calls_have_no_cookies() -> None:
    place = reference("GRPCRoute")
    settings = spec(grpcRoutes=[{"name": "web"}])
    (only,) = rules(written(live(rule(stable()), at=place), sticky(20), settings), place)
    assert only == rule(stable(80), canary(20))
    ((_, message),) = said(ROUTER, settings, None, STICKY)
    assert message.startswith("has no HTTPRoute, which sessionAffinity needs")


OWN = [{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "set-cookie", "value": "a=b"}]}}]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([{**SHARED, "name": "all", "sessionPersistence": {}}], 'rule "all" of HTTPRoute web has sessionPersistence'),
        ([rule({**stable(), "filters": OWN})], "a rule of HTTPRoute web has a backend that adds a Set-Cookie header"),
        ([SHARED] * 5, "HTTPRoute web would need 20 rules for sessionAffinity, and can have 16"),
    ],
)
def test_what_is_in_the_way(made: list[Json], message: str) -> None:
    ((path, text),) = said(ROUTER, HTTP_SPEC, live(*made), STICKY)
    assert path == "httpRoutes[0]"
    assert text.startswith(message)
    assert said(ROUTER, HTTP_SPEC, live(*made), OWNER) == []


def test_a_running_affinity_is_in_nobodys_way() -> None:
    assert said(ROUTER, HTTP_SPEC, written(live(*[SHARED] * 4), sticky(20, 10)), STICKY) == []


def test_cookies_are_compared_whole() -> None:
    expression = with_value("a.b", ["x", "y"])
    for header in ("a.b=x", "c=d; a.b=y", "c=d;a.b=y;e=f"):
        assert re.search(expression, header)
    for header in ("aab=x", "a.b=xx", "za.b=x", "c=a.b=x"):
        assert not re.search(expression, header)


def test_two_rollouts_of_one_route_leave_each_others_clients_alone() -> None:
    """Each took the cookies of all rules for its own, so that both wrote without end."""
    ours, plain = sticky(20), route(40)
    ends = replace(plain.canary, service="shop-canary"), replace(plain.stable, service="shop-stable")
    theirs = sticking(replace(plain, canary=ends[0], stable=ends[1]), 20, rollout="shop")
    shop = replace(STICKY, name="shop", canary_service="shop-canary", stable_service="shop-stable")
    before = live(SHARED, rule(backend("shop-stable"), matches=[{"path": {"type": "PathPrefix", "value": "/shop"}}]))
    both = written(written(before, ours, owner=STICKY), theirs, owner=shop)
    assert written(both, ours, owner=STICKY) == both
    ended = written(both, route(0), owner=STICKY)
    assert "rollout-web" not in repr(ended), "nothing is left of ours"
    assert written(ended, theirs, owner=shop) == ended, "and theirs is as it was"
    assert affinity(theirs).to_canary in repr(ended)
