"""What can be wrong with workloadRef, and with what it names?"""

from collections.abc import Mapping
from typing import Any

import pytest

from rollouts.api import keys
from rollouts.plan.validate import problems
from rollouts.registry import load_kit
from tests.plan.decided import planned
from tests.plan.given import Raw, deleting, live, template
from tests.plan.workloads import deployment, given, referring


def other(**reference: Any) -> Raw:
    raw = referring()
    raw["spec"]["workloadRef"] |= reference
    return raw


def owned_by_a_rollout() -> Raw:
    raw = {**deployment(), "kind": "ReplicaSet"}
    raw["metadata"] = {**raw["metadata"], "labels": {keys.POD_TEMPLATE_HASH: "abc"}}
    return raw


SUPPORTED = "write Deployment or ReplicaSet of apps/v1, or PodTemplate of v1"


@pytest.mark.parametrize(
    ("raw", "workload", "problem"),
    [
        (
            other(kind="DaemonSet"),
            None,
            f'spec.workloadRef.kind: "DaemonSet" of apiVersion "apps/v1" can\'t be referred to: {SUPPORTED}',
        ),
        (
            other(apiVersion="extensions/v1"),
            None,
            f'spec.workloadRef.kind: "Deployment" of apiVersion "extensions/v1" can\'t be referred to: {SUPPORTED}',
        ),
        (
            other(apiVersion=None),
            None,
            f'spec.workloadRef.kind: "Deployment" of apiVersion "" can\'t be referred to: {SUPPORTED}',
        ),
        (other(name=""), None, "spec.workloadRef.name: is missing: name the Deployment that holds the pod template"),
        (
            other(scaleDown="onSuccess"),
            deployment(),
            'spec.workloadRef.scaleDown: "onSuccess" is unknown: write never, onsuccess or progressively',
        ),
        (
            referring(),
            None,
            'spec.workloadRef.name: Deployment "old" does not exist: create it, or correct the name',
        ),
        (
            referring(),
            deleting(deployment()),
            (
                'spec.workloadRef.name: Deployment "old" is being deleted: create it again, or write its template into'
                " spec.template"
            ),
        ),
        (
            referring(kind="ReplicaSet"),
            owned_by_a_rollout(),
            'spec.workloadRef.name: ReplicaSet "old" belongs to a Rollout itself: name one that doesn\'t',
        ),
        (
            {**referring(), "spec": {**referring()["spec"], "template": template()}},
            deployment(),
            'spec.template: must be left out: spec.workloadRef takes it from Deployment "old"; keep one',
        ),
        (
            {**referring(), "spec": {**referring()["spec"], "selector": {"matchLabels": {"app": "shop"}}}},
            deployment(),
            (
                "spec.template.metadata.labels: {'app': 'web'} don't match spec.selector"
                " {'matchLabels': {'app': 'shop'}}"
            ),
        ),
    ],
)
def test_what_cannot_be_carried_out(raw: Raw, workload: Raw | None, problem: str) -> None:
    plan = planned(given(live(raw), workload))
    assert plan.problem == f'The Rollout "web" is invalid: {problem}'
    assert plan.actions == ()
    assert plan.wake_at is not None


def test_it_recovers_once_the_deployment_is_there() -> None:
    raw = live(referring())
    invalid = planned(given(raw, None)).status
    assert invalid is not None
    plan = planned(given({**raw, "status": dict(invalid)}, deployment()))
    assert plan.problem is None
    assert plan.status is not None
    assert "InvalidSpec" not in [each["type"] for each in plan.status["conditions"]]


def test_an_empty_template_as_typed_clients_write_it_is_none() -> None:
    raw = referring()
    raw["spec"]["template"] = {"metadata": {"creationTimestamp": None}, "spec": {"containers": None}}
    assert planned(given(live(raw), deployment())).problem is None


def test_a_template_out_of_sight_is_not_checked() -> None:
    """As lint sees it, where the Deployment is in none of its files."""
    raw = referring(canary={"stableService": "s"})
    found: Mapping[str, Any] = {"metadata": {"name": "s"}, "spec": {"selector": {"app": "other"}}}
    observed = given(raw | {"metadata": {"name": "web", "uid": "1"}}, None)
    elsewhere = {"kind": "Deployment", "metadata": {"name": "old"}}
    assert list(problems(observed.rollout, raw, load_kit(), {"s": found}, workload=elsewhere)) == []
