"""What does the AWS Load Balancer Controller read in an Ingress?"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import AlbTrafficRouting
from rollouts.ports import Objects, Patch, Reference
from rollouts.traffic.alb.router import Alb
from tests.traffic.routers import OWNER, PAIR, Json, header_route, raw_object, route, said, written

ROUTER = Alb()
PREFIX = "alb.ingress.kubernetes.io"
MANAGED = "rollouts.argoproj.io/managed-alb-annotations"
ROOT = f"{PREFIX}/actions.web-stable"
SHOP = Reference("networking.k8s.io", "Ingress", "default", "shop")
WITH_ROUTES = replace(OWNER, managed_routes=("beta", "gamma"))
BETA, GAMMA = header_route("beta", exact="beta"), header_route("gamma", exact="gamma")


def spec(**fields: Any) -> AlbTrafficRouting:
    named = {} if "ingresses" in fields or "ingress" in fields else {"ingress": "shop"}
    return parse(AlbTrafficRouting, {"servicePort": 80, **named, **fields})


def path(service: str, at: str = "/", *, port: str = "use-annotation") -> Json:
    backend = {"service": {"name": service, "port": {"name": port}}}
    return {"path": at, "pathType": "Prefix", "backend": backend}


def rule(*paths: Json) -> Json:
    return {"host": "shop.example.com", "http": {"paths": list(paths)}}


def ingress(*rules: Json, at: Reference = SHOP, annotations: Mapping[str, str] | None = None) -> dict[Reference, Json]:
    more = {} if annotations is None else {"annotations": dict(annotations)}
    return raw_object(at, {"ingressClassName": "alb", "rules": list(rules)}, **more)


ACTION = path("web-stable")
DOCS = rule(path("docs", "/docs", port="http"))
LIVE = ingress(rule(ACTION))


def annotations(objects: Objects, at: Reference = SHOP) -> Json:
    found: Json = (objects[at] or {})["metadata"].get("annotations") or {}
    return found


def read(objects: Objects, key: str = ROOT, at: Reference = SHOP) -> Any:
    return json.loads(annotations(objects, at)[key])


def paths(objects: Objects) -> list[tuple[str, str]]:
    """Return the paths of the last rule, with the names of their backends."""
    rules = (objects[SHOP] or {})["spec"]["rules"]
    return [(each["path"], each["backend"]["service"]["name"]) for each in rules[-1]["http"]["paths"]]


def group(name: str, weight: int, port: str = "80") -> Json:
    return {"ServiceName": name, "ServicePort": port, "Weight": weight}


def test_the_action_forwards_to_both_services() -> None:
    after = written(ROUTER, spec(), route(5), LIVE)
    assert read(after) == {
        "Type": "forward",
        "ForwardConfig": {"TargetGroups": [group("web-canary", 5), group("web-stable", 95)]},
    }
    assert read(after, MANAGED) == {"web": [ROOT]}


def test_another_weight_is_one_annotation() -> None:
    before = written(ROUTER, spec(), route(5), LIVE)
    (patch,) = ROUTER.write(spec(), OWNER, route(20), before)
    assert isinstance(patch, Patch)
    assert list(patch.body) == ["metadata"]
    assert list(patch.body["metadata"]["annotations"]) == [ROOT]


def test_an_action_that_says_the_same_in_other_words_stays() -> None:
    before = written(ROUTER, spec(), route(5), LIVE)
    spaced = {**annotations(before), ROOT: json.dumps(read(before), indent=2, sort_keys=True)}
    assert ROUTER.write(spec(), OWNER, route(5), ingress(rule(ACTION), annotations=spaced)) == ()


def test_the_order_of_target_groups_makes_no_difference() -> None:
    before = written(ROUTER, spec(rootService="root"), route(5), ingress(rule(path("root"))))
    turned = replace(route(95), canary=route(5).stable, stable=route(5).canary)
    assert ROUTER.write(spec(rootService="root"), OWNER, turned, before) == ()


def test_root_service_port_and_prefix() -> None:
    settings = spec(rootService="root", servicePort=8080, annotationPrefix="edge.example.com")
    after = written(ROUTER, settings, route(5), ingress(rule(path("root"))))
    groups = read(after, "edge.example.com/actions.root")["ForwardConfig"]["TargetGroups"]
    assert groups == [group("web-canary", 5, "8080"), group("web-stable", 95, "8080")]


@pytest.mark.parametrize(("enabled", "expected"), [(True, {"Enabled": True, "DurationSeconds": 600}), (False, None)])
def test_stickiness(enabled: bool, expected: Any) -> None:  # noqa: FBT001 - a row of the table
    settings = spec(stickinessConfig={"enabled": enabled, "durationSeconds": 600})
    config = read(written(ROUTER, settings, route(5), LIVE))["ForwardConfig"]
    assert config.get("TargetGroupStickinessConfig") == expected


def test_experiments_stand_between_canary_and_stable() -> None:
    after = written(ROUTER, spec(), route(5, additional={"web-1-baseline": 10}), LIVE)
    groups = [group("web-canary", 5), group("web-1-baseline", 10), group("web-stable", 85)]
    assert read(after)["ForwardConfig"]["TargetGroups"] == groups


def test_each_of_several_ingresses_is_written_in_one_pass() -> None:
    other = replace(SHOP, name="mobile")
    settings = spec(ingresses=["shop", "mobile"])
    first = written(ROUTER, settings, route(5), LIVE)
    after = written(ROUTER, settings, route(5), {**first, **ingress(rule(ACTION), at=other)})
    assert read(after, at=other) == read(after)


def test_a_header_route_is_a_backend_with_conditions() -> None:
    two = {**BETA, "match": [*BETA["match"], {"headerName": "X-Team", "headerValue": {"exact": "shop"}}]}
    after = written(ROUTER, spec(), route(5, headers=[two]), LIVE, WITH_ROUTES)
    assert read(after, f"{PREFIX}/actions.beta") == {
        "Type": "forward",
        "ForwardConfig": {"TargetGroups": [group("web-canary", 100)]},
    }
    assert read(after, f"{PREFIX}/conditions.beta") == [
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Version", "Values": ["beta"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Team", "Values": ["shop"]}},
    ]
    assert read(after, MANAGED) == {"web": [f"{PREFIX}/actions.beta", ROOT, f"{PREFIX}/conditions.beta"]}


def test_header_routes_stand_before_the_paths_that_they_are_like() -> None:
    live = ingress(DOCS, rule(path("docs", "/docs", port="http"), ACTION, path("web-stable", "/old", port="http")))
    after = written(ROUTER, spec(), route(5, headers=[BETA, GAMMA]), live, WITH_ROUTES)
    ours = [("/", "beta"), ("/", "gamma"), ("/", "web-stable")]
    assert paths(after) == [("/docs", "docs"), *ours, ("/old", "web-stable")]
    assert (after[SHOP] or {})["spec"]["rules"][0] == DOCS


def test_header_routes_go_and_leave_nothing() -> None:
    before = written(ROUTER, spec(), route(5), LIVE, WITH_ROUTES)
    during = written(ROUTER, spec(), route(5, headers=[BETA, GAMMA]), before, WITH_ROUTES)
    assert written(ROUTER, spec(), route(5, headers=[GAMMA]), during, WITH_ROUTES)[SHOP] != before[SHOP]
    assert written(ROUTER, spec(), route(5), during, WITH_ROUTES) == before


def test_a_header_route_that_the_rollout_names_no_longer_goes() -> None:
    during = written(ROUTER, spec(), route(5, headers=[BETA]), LIVE, WITH_ROUTES)
    after = written(ROUTER, spec(), route(5), during)
    assert paths(after) == [("/", "web-stable")]
    assert f"{PREFIX}/conditions.beta" not in annotations(after)


def test_a_path_of_argo_rollouts_is_replaced() -> None:
    theirs = {**path("beta", "/*"), "pathType": "ImplementationSpecific"}
    after = written(ROUTER, spec(), route(5, headers=[BETA]), ingress(rule(theirs, ACTION)), WITH_ROUTES)
    assert paths(after) == [("/", "beta"), ("/", "web-stable")]


def test_another_root_takes_the_former_action_away() -> None:
    before = written(ROUTER, spec(), route(5), ingress(rule(ACTION, path("root", "/root"))))
    after = written(ROUTER, spec(rootService="root"), route(5), before)
    assert ROOT not in annotations(after)
    assert read(after, MANAGED) == {"web": [f"{PREFIX}/actions.root"]}


def test_rollouts_share_an_ingress() -> None:
    theirs = {f"{PREFIX}/actions.docs": "{}", MANAGED: json.dumps({"docs": [f"{PREFIX}/actions.docs"]}), "a": "b"}
    live = ingress(rule(path("docs", "/docs"), ACTION), annotations=theirs)
    assert said(ROUTER, spec(), live) == []
    after = written(ROUTER, spec(), route(5), live)
    assert read(after, MANAGED) == {"docs": [f"{PREFIX}/actions.docs"], "web": [ROOT]}
    assert annotations(after)["a"] == "b"
    assert annotations(after)[f"{PREFIX}/actions.docs"] == "{}"


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"docs": 7}'])
def test_a_list_that_cannot_be_read_is_made_anew(text: str) -> None:
    assert read(written(ROUTER, spec(), route(5), ingress(rule(ACTION), annotations={MANAGED: text})), MANAGED) == {
        "web": [ROOT]
    }


def test_an_ingress_that_is_gone_is_passed_over() -> None:
    assert ROUTER.write(spec(), OWNER, route(5), {SHOP: None}) == ()


LACKS = 'with the port name "use-annotation": change one, or the annotation with the weights has no effect'
ROWS: dict[str, tuple[Json, Objects | None, list[tuple[str, str]]]] = {
    "no ingress": ({"ingresses": []}, None, [("", "needs one of ingress and ingresses: neither is set")]),
    "one and several": (
        {"ingress": "shop", "ingresses": ["mobile"]},
        None,
        [("", "needs one of ingress and ingresses: both are set")],
    ),
    "the same one twice": (
        {"ingresses": ["shop", "shop"]},
        None,
        [
            ("ingresses[0]", "shop is listed 2 times: list it once"),
            ("ingresses[1]", "shop is listed 2 times: list it once"),
        ],
    ),
    "no port": ({"servicePort": 0}, None, [("servicePort", "0 is no port: must be from 1 to 65535")]),
    "stickiness for too long": (
        {"stickinessConfig": {"enabled": True, "durationSeconds": 604801}},
        None,
        [
            (
                "stickinessConfig.durationSeconds",
                "604801 is out of range: must be from 1 to 604800 (a week)",
            )
        ],
    ),
    "stickiness that is off": ({"stickinessConfig": {"enabled": False, "durationSeconds": 0}}, None, []),
    "the root is a managed route": (
        {"rootService": "beta"},
        None,
        [
            (
                "rootService",
                '"beta" is one of the managedRoutes, too: each is a backend with its name; choose another one there',
            )
        ],
    ),
    "it doesn't exist": (
        {"ingresses": ["shop"]},
        {SHOP: None},
        [("ingresses[0]", "Ingress shop doesn't exist in namespace default: create it")],
    ),
    "no rule of ours": (
        {},
        ingress(DOCS),
        [("ingress", f"no rule of Ingress shop has the backend web-stable {LACKS}")],
    ),
    "a port of its own": (
        {"rootService": "root"},
        ingress(rule(path("root", port="http")), {"host": "nothing.example.com"}),
        [("ingress", f"no rule of Ingress shop has the backend root {LACKS}")],
    ),
    "an action of another Rollout": (
        {},
        ingress(rule(ACTION), annotations={MANAGED: json.dumps({"shop": [f"{PREFIX}/actions.beta"]})}),
        [
            (
                "ingress",
                (
                    "the backend beta of Ingress shop belongs to Rollout shop: use another name, or take it out of"
                    " the annotation rollouts.argoproj.io/managed-alb-annotations"
                ),
            )
        ],
    ),
    "all is well": ({}, LIVE, []),
}


@pytest.mark.parametrize("name", ROWS)
def test_problems(name: str) -> None:
    fields, objects, expected = ROWS[name]
    assert said(ROUTER, spec(**fields), objects, WITH_ROUTES) == expected


def test_a_pair_needs_a_root() -> None:
    needed = [("rootService", "must be set with pingPong: the Ingress needs one name for both Services")]
    assert said(ROUTER, spec(), LIVE, PAIR) == needed
    assert said(ROUTER, spec(rootService="root"), ingress(rule(path("root"))), PAIR) == []
