"""Does the load balancer do what the Ingress says? AWS is asked, and answers in its XML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from rollouts.ports import Asked, Found, ListObjects, MeasurementError, Question, Request, Response
from rollouts.traffic.alb.router import Alb
from tests.aws import BALANCER, HOST, KEYS, Aws, Group, group_arn
from tests.traffic.routers import OWNER, Json, route
from tests.traffic.test_alb import ACTION, SHOP, ingress, rule, spec

ROUTER = Alb()
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def live(host: str | None = HOST) -> dict[Any, Json]:
    """Return an Ingress whose load balancer is there, if there is a host."""
    balancers = [{"hostname": host}] if host else []
    objects = ingress(rule(ACTION))
    objects[SHOP]["status"] = {"loadBalancer": {"ingress": balancers}}
    return objects


def question(weight: int = 20, *, host: str | None = HOST, **more: Any) -> Question:
    (found,) = ROUTER.questions(spec(), OWNER, route(weight, **more), live(host))
    return found


def pod(address: str, *, ready: bool = True) -> Json:
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    return {"metadata": {"name": address}, "status": {"podIP": address, "conditions": conditions}}


def aws(canary: int, stable: int, **more: Any) -> Aws:
    groups = {
        name: Group(f"default/shop-{name}:80", health={address: "healthy"})
        for name, address in {"web-canary": "10.0.0.2", "web-stable": "10.0.0.1"}.items()
    }
    rules = [{"web-canary": canary, "web-stable": stable}, {"web-canary": 100}]
    return Aws(**{"groups": groups, "rules": rules, **more})


PODS = {"c": [pod("10.0.0.2")], "s": [pod("10.0.0.1")]}


def asked(
    there: Aws,
    asks: Question | None = None,
    pods: Mapping[str, list[Json]] = PODS,
    settings: Mapping[str, str] = KEYS,
) -> Found:
    """Ask, and have each request answered."""
    flow = ROUTER.ask(asks or question(), Asked(now=NOW, namespace="default", settings=settings))
    try:
        request = next(flow)
        while True:
            if isinstance(request, Request):
                request = flow.send(there.answer(request))
            else:
                assert isinstance(request, ListObjects)
                assert request.kind in ROUTER.lists
                request = flow.send(pods[request.labels.rpartition("=")[2]])
    except StopIteration as end:
        found: Found = end.value
        return found


@dataclass(frozen=True)
class Row:
    says: str
    there: Aws
    because: str
    reason: str = "TargetGroupUnverified"
    pods: Mapping[str, list[Json]] = field(default_factory=lambda: PODS)

    def __str__(self) -> str:
        return self.says


NAME = BALANCER.split("/")[2]
NO_GROUP = {"web-stable": Group("default/shop-web-stable:80")}
ROWS = (
    Row(
        "the old weights are there still",
        aws(10, 90),
        f"load balancer {NAME}: Service web-canary weighs 10 still, not 20",
    ),
    Row(
        "one rule of two is behind",
        aws(20, 80, rules=[{"web-canary": 20, "web-stable": 80}, {"web-stable": 100}]),
        f"load balancer {NAME}: Service web-canary weighs 0 still, not 20",
    ),
    Row(
        "no rule forwards to stable",
        aws(20, 80, rules=[{"web-canary": 100}]),
        f"load balancer {NAME}: no rule forwards to the target group of Service web-stable yet",
    ),
    Row(
        "the canary has no target group yet",
        aws(20, 80, groups=NO_GROUP),
        f"load balancer {NAME} has no target group for Service web-canary "
        "(tagged ingress.k8s.aws/resource=default/shop-web-canary:80)",
    ),
    Row(
        "a ready pod isn't a healthy target yet",
        aws(20, 80),
        f"load balancer {NAME}: 1 ready pods of Service web-stable aren't healthy targets (10.0.0.9: not registered)",
        pods={**PODS, "s": [pod("10.0.0.1"), pod("10.0.0.9")]},
    ),
    Row(
        "the load balancer has gone",
        aws(20, 80, host="other.eu-west-1.elb.amazonaws.com"),
        f"AWS has no load balancer in eu-west-1 with the name {HOST}",
        reason="LoadBalancerNotFound",
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_what_is_missing_is_told(row: Row) -> None:
    found = asked(row.there, pods=row.pods)
    assert (found.verified, found.because, found.reason) == (False, row.because, row.reason)


def test_weights_and_targets_as_wanted_are_verified() -> None:
    found = asked(aws(20, 80))
    assert found.verified
    assert found.reason == "TargetGroupVerified"
    assert found.because == f"load balancer {NAME} forwards as Ingress shop says: web-canary 20, web-stable 80"


def test_case_makes_no_difference_to_a_dns_name_and_pages_are_turned() -> None:
    there = aws(20, 80, others=400, host=HOST.upper())
    assert asked(there).verified
    assert there.asked.count("DescribeLoadBalancers") == 2


def test_more_than_twenty_groups_are_asked_for_in_turns() -> None:
    there = aws(20, 80)
    there.groups = {**{f"other-{n}": Group(f"default/other-{n}:80") for n in range(25)}, **there.groups}
    assert asked(there).verified
    assert there.asked.count("DescribeTags") == 2


def test_pods_that_are_not_ready_get_no_traffic_and_are_not_waited_for() -> None:
    assert asked(aws(20, 80), pods={**PODS, "c": [pod("10.0.0.2"), pod("10.0.0.3", ready=False)]}).verified


def test_a_side_without_weight_needs_neither_group_nor_targets() -> None:
    there = aws(0, 100, groups=NO_GROUP)
    there.groups["web-stable"].health = {"10.0.0.1": "healthy"}
    assert asked(there, question(0)).verified


def test_pods_behind_instances_cannot_be_told_apart() -> None:
    there = aws(20, 80)
    for group in there.groups.values():
        group.target_type, group.health = "instance", {"i-1": "healthy"}
    assert asked(there).verified


def test_experiments_count() -> None:
    there = aws(20, 75)
    there.groups["extra"] = Group("default/shop-extra:80", health={"10.0.0.7": "healthy"})
    asks = question(additional={"extra": 5})
    pods = {**PODS, "extra": [pod("10.0.0.7")]}
    assert asked(there, asks, pods).because.endswith("Service extra weighs 0 still, not 5")
    there.rules = [{"web-canary": 20, "web-stable": 75, "extra": 5}]
    assert asked(there, asks, pods).verified


def test_an_ingress_without_a_load_balancer_is_waited_for_and_nobody_is_asked() -> None:
    there = aws(20, 80)
    assert asked(there, question(host=None)).because.startswith("Ingress shop has no load balancer yet")
    assert there.asked == []


def test_the_status_tells_of_aws() -> None:
    found = asked(aws(20, 80))
    state = ROUTER.state(spec(), {question(): found})
    assert state == {
        "alb": {
            "ingress": "shop",
            "loadBalancer": {"name": NAME, "arn": BALANCER, "fullName": f"app/{NAME}/50dc6c495c0c9188"},
            "canaryTargetGroup": {
                "name": "k8s-default-web-canary",
                "arn": group_arn("web-canary"),
                "fullName": "targetgroup/k8s-default-web-canary/73e2d6bc24d8a067",
            },
            "stableTargetGroup": {
                "name": "k8s-default-web-stable",
                "arn": group_arn("web-stable"),
                "fullName": "targetgroup/k8s-default-web-stable/73e2d6bc24d8a067",
            },
        }
    }
    several = ROUTER.state(spec(ingresses=["shop"]), {question(): found})
    assert several == {"albs": [state["alb"]]}


def test_a_question_is_another_one_once_a_weight_or_a_version_is() -> None:
    assert question(20) == question(20)
    assert question(20) != question(30)
    assert question(20) != question(20, additional={"extra": 5})


def test_a_refusal_is_told_in_the_words_of_aws() -> None:
    with pytest.raises(MeasurementError, match=r"answered 403: AccessDenied: .*DescribeRules; may these credentials"):
        asked(aws(20, 80, refuses="DescribeRules"))


def test_without_credentials_it_is_said_where_they_belong() -> None:
    with pytest.raises(MeasurementError, match="has no credentials for AWS"):
        asked(aws(20, 80), settings={})


def test_a_service_account_is_exchanged_for_credentials() -> None:
    there = aws(20, 80)
    settings = {"AWS_ROLE_ARN": "arn:aws:iam::1:role/rollouts", "AWS_WEB_IDENTITY_TOKEN": "ey.token"}
    assert asked(there, settings=settings).verified
    assert there.asked[0] == "AssumeRoleWithWebIdentity"


def test_a_name_that_tells_no_region_needs_one_from_the_environment() -> None:
    asks = question(host="shop.example.com")
    with pytest.raises(MeasurementError, match="set AWS_REGION"):
        asked(aws(20, 80), asks)
    there = aws(20, 80, host="shop.example.com")
    assert asked(there, asks, settings={**KEYS, "AWS_REGION": "eu-west-1"}).verified


def test_an_answer_that_is_no_xml_is_no_answer() -> None:
    flow = ROUTER.ask(question(), Asked(now=NOW, settings=KEYS))
    next(flow)
    with pytest.raises(MeasurementError, match="is no XML"):
        flow.send(Response(200, {}, b"{}"))
