"""Nulls vanish where an API server drops them, and stay where it keeps or refuses them."""

from typing import Any

import pytest

from rollouts.api.nulls import without_nulls
from rollouts.api.rollout import parse_rollout


def spec_of(spec: Any) -> Any:
    return without_nulls("Rollout", {"kind": "Rollout", "spec": spec})["spec"]


@pytest.mark.parametrize(
    ("spec", "left"),
    [
        ({"replicas": None, "paused": True}, {"paused": True}),
        ({"selector": {"matchLabels": {"app": None}}}, {"selector": {"matchLabels": {}}}),
        (
            {
                "strategy": {
                    "canary": {"steps": [{"setWeight": None}, {"pause": {"duration": None}}]},
                    "blueGreen": None,
                }
            },
            {"strategy": {"canary": {"steps": [{}, {"pause": {}}]}}},
        ),
        ({"strategy": {"canary": {"steps": [None]}}}, {"strategy": {"canary": {"steps": [None]}}}),
        (
            {"template": {"metadata": {"creationTimestamp": None, "annotations": None}, "spec": {"volumes": [None]}}},
            {"template": {"metadata": {"creationTimestamp": None}, "spec": {"volumes": [None]}}},
        ),
        (
            {"strategy": {"canary": {"trafficRouting": {"plugins": {"a/b": None}}}}},
            {"strategy": {"canary": {"trafficRouting": {"plugins": {"a/b": None}}}}},
        ),
        ({"unheardOf": None}, {"unheardOf": None}),
        ("rubbish", "rubbish"),
    ],
)
def test_nulls_are_left_out(spec: Any, left: Any) -> None:
    assert spec_of(spec) == left


def test_what_is_left_can_be_read() -> None:
    manifest = {"spec": {"strategy": {"canary": {"steps": None, "maxSurge": None}}}}
    assert parse_rollout(without_nulls("Rollout", manifest)).spec.strategy is not None


def test_the_manifest_itself_stays_as_it_is() -> None:
    manifest = {"spec": {"replicas": None}}
    without_nulls("Rollout", manifest)
    assert manifest == {"spec": {"replicas": None}}
