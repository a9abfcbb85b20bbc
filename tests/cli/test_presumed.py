"""What a controller carries out by plugins of its own isn't called missing."""

from dataclasses import replace
from typing import Any

import pytest

from rollouts.cli.presumed import kit_for
from rollouts.registry import load_kit

KIT = load_kit()
ROLLOUT: dict[str, Any] = {
    "metadata": {"generation": 3},
    "spec": {
        "strategy": {
            "canary": {
                "steps": [{"setWeight": 5}, {"plugin": {"name": "a/step"}}],
                "trafficRouting": {"plugins": {"a/router": {}, "argoproj-labs/gatewayAPI": {}}},
            }
        }
    },
    "status": {"observedGeneration": "3"},
}
INVALID = [{"type": "InvalidSpec", "status": "True"}]


def test_what_the_controller_has_found_sound_is_a_plugin_of_its_own() -> None:
    kit = kit_for(ROLLOUT, KIT)
    assert (kit.routers["a/router"].key, kit.steps["a/step"].key) == ("a/router", "a/step")
    assert kit.routers["argoproj-labs/gatewayAPI"] is KIT.routers["argoproj-labs/gatewayAPI"]
    assert replace(kit, routers=KIT.routers, steps=KIT.steps) == KIT


@pytest.mark.parametrize(
    "status", [{}, {"observedGeneration": "2"}, {"observedGeneration": "3", "conditions": INVALID}]
)
def test_what_no_controller_has_found_sound_is_missing(status: dict[str, Any]) -> None:
    assert kit_for({**ROLLOUT, "status": status}, KIT) is KIT


def test_where_nothing_is_missing_nothing_is_presumed() -> None:
    assert kit_for({**ROLLOUT, "spec": {}}, KIT) is KIT
