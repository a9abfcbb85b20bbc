"""Which routes and headers of a VirtualService keep clients on their side, and what is left of them?"""

import re
from dataclasses import replace

import pytest

from tests.traffic.affinity import ATTRIBUTES, affinity, sticking
from tests.traffic.istio import (
    BY_HOST,
    BY_SUBSET,
    OWNER,
    ROUTER,
    WITHOUT_SERVICES,
    Json,
    canary,
    destination_rule,
    http,
    named,
    reference,
    route,
    rule,
    spec,
    stable,
    subset,
    to,
    virtual_service,
    written,
)

SAME = rule(stable(100), canary(0))
COPY = {"name": "copy", "match": [{"method": {"exact": "GET"}}], "percentage": 30}
BETA = {"name": "beta", "match": [{"headerName": "X-Version", "headerValue": {"exact": "beta"}}]}
STICKY = replace(OWNER, has_affinity=True)


def set_cookie(header: str) -> Json:
    return {"headers": {"response": {"add": {"Set-Cookie": header}}}}


def names(found: list[Json]) -> list[str]:
    return [each.get("name", "") for each in found]


def cookie(each: Json) -> str:
    """Return the expression by which a route asks for a cookie."""
    (match,) = each["match"]
    return str(match["headers"]["cookie"]["regex"])


def test_new_clients_are_told_their_side_and_those_that_come_again_go_there() -> None:
    wanted = sticking(route(20))
    to_canary, to_stable, shared = http(written(virtual_service({"timeout": "3s", **SAME}), wanted))
    known = affinity(wanted)
    told = [{**stable(80), **set_cookie(known.to_stable)}, {**canary(20), **set_cookie(known.to_canary)}]
    assert shared == {"timeout": "3s", **rule(*told)}
    assert (to_canary["route"], to_stable["route"]) == ([canary(100)], [stable(100)])
    assert names([to_canary, to_stable]) == ["sticky-canary", "sticky-stable"]
    assert to_canary["timeout"] == "3s", "it treats its requests as the route does that it is made after"
    assert re.fullmatch(cookie(to_canary), f"a=b; rollout-web={known.canary}")
    assert not re.fullmatch(cookie(to_canary), f"rollout-web={known.stable}")
    assert known.to_canary.endswith(ATTRIBUTES)


def test_when_the_weight_goes_up_some_of_stables_clients_get_the_canary() -> None:
    before, wanted = sticking(route(10)), sticking(route(20), 10)
    _, _, anew, _ = http(written(written(virtual_service(SAME), before), wanted))
    assert [each["weight"] for each in anew["route"]] == [89, 11]
    assert re.fullmatch(cookie(anew), f"rollout-web={affinity(before).stable}")
    assert anew["route"][1] == {**canary(11), **set_cookie(affinity(wanted).to_canary)}


@pytest.mark.parametrize("weight", [0, 100])
def test_nothing_is_left_once_one_side_has_all(weight: int) -> None:
    theirs = {"headers": {"response": {"add": {"X-Side": "stable"}, "remove": ["X-Debug"]}}}
    before = virtual_service(rule({**stable(100), **theirs}, canary(0)))
    middle = written(before, sticking(route(20)))
    assert http(middle)[-1]["route"][0]["headers"]["response"]["add"].keys() == {"X-Side", "Set-Cookie"}
    assert written(middle, route(weight)) == written(before, route(weight))


def test_header_routes_come_first_and_a_mirror_has_its_own() -> None:
    wanted = sticking(route(20, headers=[BETA], mirrors=[COPY]))
    found = http(written(virtual_service(SAME), wanted))
    own = ["sticky-canary", "sticky-stable"]
    assert names(found) == ["beta", *own, "copy", *own, ""]
    assert found[1]["mirror"] == found[3]["mirror"]
    assert found[1]["match"][0]["method"] == {"exact": "GET"}


def test_a_route_of_that_name_that_is_somebody_elses_stays() -> None:
    docs = {"name": "sticky-canary", "match": [{"uri": {"prefix": "/docs"}}], **rule(to("docs"))}
    settings = spec(virtualService={"name": "web", "routes": ["primary"]})
    before = virtual_service(docs, {"name": "primary", **SAME})
    middle = written(before, sticking(route(20)), settings)
    assert names(http(middle)) == ["sticky-canary", "sticky-canary-2", "sticky-stable", "primary"]
    assert written(middle, route(0), settings)[reference()] == before[reference()]


def test_subsets_stick_as_services_do() -> None:
    objects = {
        **virtual_service(rule(subset("stable", 100), subset("canary", 0))),
        **destination_rule(named("stable"), named("canary")),
    }
    wanted = sticking(route(20, services=False))
    after = written(objects, wanted, BY_SUBSET, WITHOUT_SERVICES, passes=2)
    assert [each["route"] for each in http(after)[:2]] == [[subset("canary", 100)], [subset("stable", 100)]]


def test_routes_for_other_cookies_and_of_other_protocols_are_left_alone() -> None:
    asks = {"match": [{"headers": {"cookie": {"regex": "beta=1"}}}], **SAME}
    after = http(written(virtual_service(asks), sticking(route(20))))
    assert names(after) == [""], "no route could ask for both cookies"
    tls = [{"match": [{"sniHosts": ["a"]}], **rule(stable(100), canary(0))}]
    settings = spec(virtualService={"name": "web", "tlsRoutes": [{"sniHosts": ["a"]}]})
    ((_, message),) = ROUTER.problems(settings, STICKY, virtual_service(tls=tls))
    assert message.startswith("VirtualService web has no HTTP route that is meant, which sessionAffinity needs")


def test_a_cookie_of_somebody_elses_is_in_the_way() -> None:
    theirs = virtual_service(rule({**stable(100), **set_cookie("a=b")}, canary(0)))
    ((_, message),) = ROUTER.problems(BY_HOST, STICKY, theirs)
    assert message.startswith("VirtualService web has a destination that adds a Set-Cookie header")
    assert list(ROUTER.problems(BY_HOST, STICKY, written(virtual_service(SAME), sticking(route(20))))) == []


def test_two_rollouts_of_one_object_leave_each_others_clients_alone() -> None:
    """Each took the cookies of all routes for its own, so that both wrote without end."""
    ours, plain = sticking(route(20)), route(40)
    ends = replace(plain.canary, service="shop-canary"), replace(plain.stable, service="shop-stable")
    theirs = sticking(replace(plain, canary=ends[0], stable=ends[1]), 20, rollout="shop")
    shop = replace(STICKY, name="shop", canary_service="shop-canary", stable_service="shop-stable")
    shops = {
        "name": "shop",
        "match": [{"uri": {"prefix": "/shop"}}],
        **rule(to("shop-stable", 100), to("shop-canary", 0)),
    }
    settings = {each: spec(virtualService={"name": "web", "routes": [each]}) for each in ("shop", "web")}
    before = virtual_service(shops, {"name": "web", **SAME})
    both = written(written(before, ours, settings["web"], STICKY), theirs, settings["shop"], shop)
    assert written(both, ours, settings["web"], STICKY) == both
    ended = written(both, route(0), settings["web"], STICKY)
    assert "rollout-web" not in repr(ended), "nothing is left of ours"
    assert written(ended, theirs, settings["shop"], shop) == ended, "and theirs is as it was"
    assert affinity(theirs).to_canary in repr(ended)
