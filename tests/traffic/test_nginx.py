"""Which canary Ingresses does Ingress NGINX get beside the stable ones?"""

from dataclasses import replace
from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import NginxTrafficRouting
from rollouts.ports import Create, Objects, Patch, Reference
from rollouts.traffic.nginx import Nginx
from tests.traffic.routers import BY_OTHERS, OURS, OWNER, Json, raw_object, route, said, written

ROUTER = Nginx()
PREFIX = "nginx.ingress.kubernetes.io"
STABLE = Reference("networking.k8s.io", "Ingress", "default", "shop")
CANARY = replace(STABLE, name="web-shop-canary")


def spec(**fields: Any) -> NginxTrafficRouting:
    return parse(NginxTrafficRouting, fields or {"stableIngress": "shop"})


def path(service: str, at: str = "/") -> Json:
    return {"path": at, "pathType": "Prefix", "backend": {"service": {"name": service, "port": {"number": 80}}}}


def rule(*paths: Json, host: str = "shop.example.com") -> Json:
    return {"host": host, "http": {"paths": list(paths)}}


def ingress(
    *rules: Json, at: Reference = STABLE, annotations: Json | None = None, **fields: Any
) -> dict[Reference, Json]:
    more = {} if annotations is None else {"annotations": annotations}
    return raw_object(at, {"rules": list(rules), **fields}, **more)


SHOP = ingress(rule(path("web-stable")))


def canary_of(objects: Objects, at: Reference = CANARY) -> Json:
    found = objects[at]
    assert found is not None
    return dict(found)


def annotations(objects: Objects, at: Reference = CANARY) -> Json:
    found: Json = canary_of(objects, at)["metadata"]["annotations"]
    return found


def test_a_canary_ingress_is_made_after_the_stable_one() -> None:
    tls = [{"hosts": ["shop.example.com"], "secretName": "shop"}]
    stable = ingress(
        rule(path("web-stable"), path("docs", "/docs")),
        rule(path("docs"), host="docs.example.com"),
        {"host": "nothing.example.com"},
        tls=tls,
        ingressClassName="edge",
        defaultBackend={"service": {"name": "docs", "port": {"number": 80}}},
    )
    (create,) = ROUTER.write(spec(), OWNER, route(5), stable)
    assert create == Create(
        CANARY,
        {
            "metadata": {
                "annotations": {f"{PREFIX}/canary": "true", f"{PREFIX}/canary-weight": "5"},
                "ownerReferences": [
                    {
                        "apiVersion": "argoproj.io/v1alpha1",
                        "kind": "Rollout",
                        "name": "web",
                        "uid": "uid-web",
                        "controller": True,
                        "blockOwnerDeletion": True,
                    }
                ],
            },
            "spec": {
                "rules": [rule(path("web-canary"), path("docs", "/docs"))],
                "tls": tls,
                "ingressClassName": "edge",
            },
        },
    )


def test_another_weight_is_one_annotation() -> None:
    before = written(ROUTER, spec(), route(5), SHOP)
    assert ROUTER.write(spec(), OWNER, route(20), before) == (
        Patch(CANARY, {"metadata": {"annotations": {f"{PREFIX}/canary-weight": "20"}}}),
    )


def test_the_canary_ingress_stays_with_weight_0() -> None:
    after = written(ROUTER, spec(), route(0), written(ROUTER, spec(), route(100), SHOP))
    assert annotations(after)[f"{PREFIX}/canary-weight"] == "0"


def test_another_whole_is_told_and_taken_back() -> None:
    fine = written(ROUTER, spec(), route(5, max_weight=1000), SHOP)
    assert annotations(fine)[f"{PREFIX}/canary-weight-total"] == "1000"
    assert f"{PREFIX}/canary-weight-total" not in annotations(written(ROUTER, spec(), route(5), fine))


def test_the_class_by_annotation_follows_the_stable_ingress() -> None:
    name = "kubernetes.io/ingress.class"
    old = ingress(rule(path("web-stable")), annotations={name: "nginx", f"{PREFIX}/ssl-redirect": "true"})
    first = written(ROUTER, spec(), route(5), old)
    assert annotations(first)[name] == "nginx"
    assert f"{PREFIX}/ssl-redirect" not in annotations(first)
    assert name not in annotations(written(ROUTER, spec(), route(5), {**first, **SHOP}))


def test_annotations_of_the_spec() -> None:
    settings = spec(
        stableIngress="shop",
        annotationPrefix="edge.example.com",
        additionalIngressAnnotations={"canary-by-header": "X-Canary", "edge.example.com/canary-by-cookie": "canary"},
        canaryIngressAnnotations={
            "edge.example.com/canary-by-header": "X-Beta",
            "edge.example.com/canary-weight": "99",
        },
    )
    assert annotations(written(ROUTER, settings, route(5), SHOP)) == {
        "edge.example.com/canary": "true",
        "edge.example.com/canary-weight": "5",
        "edge.example.com/canary-by-header": "X-Beta",
        "edge.example.com/canary-by-cookie": "canary",
        "rollouts.argoproj.io/canary-ingress-annotations": (
            "edge.example.com/canary-by-cookie,edge.example.com/canary-by-header,edge.example.com/canary-weight"
        ),
    }


def test_annotations_that_the_spec_names_no_longer_go_and_those_of_others_stay() -> None:
    settings = spec(stableIngress="shop", additionalIngressAnnotations={"canary-by-header": "X-Canary"})
    first = written(ROUTER, settings, route(5), SHOP)
    raw = canary_of(first)
    theirs = {**raw["metadata"]["annotations"], "team": "shop"}
    first = {**first, CANARY: {**raw, "metadata": {**raw["metadata"], "annotations": theirs}}}
    assert annotations(written(ROUTER, spec(), route(5), first)) == {
        "team": "shop",
        f"{PREFIX}/canary": "true",
        f"{PREFIX}/canary-weight": "5",
    }


def test_it_follows_changes_of_the_stable_ingress() -> None:
    tls = [{"hosts": ["shop.example.com"]}]
    first = written(ROUTER, spec(), route(5), ingress(rule(path("web-stable")), tls=tls))
    moved = ingress(rule(path("web-stable", "/shop")))
    after = canary_of(written(ROUTER, spec(), route(5), {**first, **moved}))
    assert after["spec"] == {"rules": [rule(path("web-canary", "/shop"))]}


def test_each_of_several_has_its_canary() -> None:
    other = replace(STABLE, name="mobile")
    settings = spec(stableIngresses=["shop", "mobile"])
    after = written(ROUTER, settings, route(30), {**SHOP, **ingress(rule(path("web-stable")), at=other)})
    assert {
        annotations(after, each)[f"{PREFIX}/canary-weight"]
        for each in (CANARY, replace(CANARY, name="web-mobile-canary"))
    } == {"30"}


@pytest.mark.parametrize(
    ("rollout", "ingress_name"), [("web", "x" * 253), ("web", "x" * 241 + "." + "y" * 9), ("web", "shop")]
)
def test_the_name_of_the_canary_ingress_is_never_too_long(rollout: str, ingress_name: str) -> None:
    owner = replace(OWNER, name=rollout)
    stable, canary = ROUTER.reads(spec(stableIngress=ingress_name), owner)
    assert isinstance(canary, Reference)
    assert len(canary.name) <= 253
    assert canary.name.endswith("-canary")
    assert ".-" not in canary.name
    assert canary != stable


@pytest.mark.parametrize("metadata", [{}, BY_OTHERS])
def test_an_ingress_of_others_is_left_alone(metadata: Json) -> None:
    live = {**SHOP, **raw_object(CANARY, {"rules": []}, **metadata)}
    assert ROUTER.write(spec(), OWNER, route(5), live) == ()


def test_nothing_is_made_after_an_ingress_that_is_gone_or_has_no_such_rule() -> None:
    assert ROUTER.write(spec(), OWNER, route(5), {STABLE: None, CANARY: None}) == ()
    assert ROUTER.write(spec(), OWNER, route(5), ingress(rule(path("docs")))) == ()


ROWS: dict[str, tuple[Json, Objects | None, list[tuple[str, str]]]] = {
    "no ingress": (
        {"annotationPrefix": "edge"},
        None,
        [("", "needs one of stableIngress and stableIngresses: neither is set")],
    ),
    "one and several": (
        {"stableIngress": "shop", "stableIngresses": ["mobile"]},
        None,
        [("", "needs one of stableIngress and stableIngresses: both are set")],
    ),
    "the same one twice": (
        {"stableIngresses": ["shop", "shop"]},
        None,
        [
            ("stableIngresses[0]", "shop is listed 2 times: list it once"),
            ("stableIngresses[1]", "shop is listed 2 times: list it once"),
        ],
    ),
    "it doesn't exist": (
        {"stableIngresses": ["shop"]},
        {STABLE: None, CANARY: None},
        [("stableIngresses[0]", "Ingress shop doesn't exist in namespace default: create it")],
    ),
    "no rule of ours": (
        {"stableIngress": "shop"},
        ingress(rule(path("docs")), {"host": "nothing.example.com"}),
        [("stableIngress", "no rule of Ingress shop has the stable Service web-stable as a backend: add it to one")],
    ),
    "the canary is another Rollout's": (
        {"stableIngress": "shop"},
        {**SHOP, **raw_object(CANARY, {}, **BY_OTHERS)},
        [
            (
                "stableIngress",
                "Ingress web-shop-canary belongs to Rollout shop, and its name is needed: delete or rename it",
            )
        ],
    ),
    "the canary is nobody's": (
        {"stableIngress": "shop"},
        {**SHOP, **raw_object(CANARY, {})},
        [
            (
                "stableIngress",
                "Ingress web-shop-canary wasn't made by this Rollout, and its name is needed: delete or rename it",
            )
        ],
    ),
    "all is well": ({"stableIngress": "shop"}, {**SHOP, **raw_object(CANARY, {}, **OURS)}, []),
}


@pytest.mark.parametrize("name", ROWS)
def test_problems(name: str) -> None:
    fields, objects, expected = ROWS[name]
    assert said(ROUTER, spec(**fields), objects) == expected
