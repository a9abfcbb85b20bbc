from typing import Any

import pytest

from rollouts.api.services import service_names


@pytest.mark.parametrize(
    ("strategy", "names"),
    [
        ({"canary": {"canaryService": "next", "stableService": "now"}}, ("next", "now")),
        ({"canary": {"pingPong": {"pingService": "ping", "pongService": "pong"}}}, ("ping", "pong")),
        ({"blueGreen": {"activeService": "active", "previewService": "preview"}}, ("active", "preview")),
        ({"blueGreen": {"activeService": "one", "previewService": "one"}}, ("one",)),
        ({"canary": {"canaryService": "", "stableService": None}}, ()),
        ({"canary": {"canaryService": 7, "pingPong": "rubbish"}, "blueGreen": [1]}, ()),
        (None, ()),
    ],
    ids=str,
)
def test_the_services_that_a_rollout_names(strategy: Any, names: tuple[str, ...]) -> None:
    assert service_names({"spec": {"strategy": strategy}}) == names


@pytest.mark.parametrize("rollout", [{}, {"spec": None}, {"spec": "rubbish"}], ids=str)
def test_a_broken_rollout_names_none(rollout: dict[str, Any]) -> None:
    assert service_names(rollout) == ()
