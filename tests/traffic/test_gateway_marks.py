"""How can others tell that a route is being changed, and by whom?"""

import json
from dataclasses import replace
from typing import Any

import pytest

from rollouts.ports import Objects
from tests.traffic.gateway_api import (
    ACTIVE,
    ADDED,
    LABEL,
    backend,
    canary,
    live,
    reference,
    rule,
    spec,
    stable,
    written,
)
from tests.traffic.routers import OWNER, Json, route

SHARED = rule(stable(100), canary(0))
BETA = {"name": "beta", "match": [{"headerName": "X-Version", "headerValue": {"exact": "beta"}}]}


def marks(objects: Objects) -> tuple[Json, Json]:
    metadata = (objects[reference()] or {})["metadata"]
    return metadata.get("labels") or {}, metadata.get("annotations") or {}


def test_a_label_while_traffic_is_shared() -> None:
    during = written(live(SHARED), route(20))
    assert marks(during) == ({LABEL: "in-progress"}, {ACTIVE: "default/web"})
    assert written(during, route(0)) == live(SHARED)


@pytest.mark.parametrize(
    "more", [{"additional": {"web-1-base": 1}}, {"headers": [BETA]}, {"mirrors": [{"name": "copy", "match": [{}]}]}]
)
def test_a_label_while_anything_is_other_than_at_rest(more: Any) -> None:
    labels, _ = marks(written(live(SHARED), route(0, **more)))
    assert labels == {LABEL: "in-progress"}


def test_labels_and_annotations_of_others_stay() -> None:
    begin = live(SHARED, labels={"team": "shop"}, annotations={"note": "keep"})
    during = written(begin, route(20))
    assert marks(during) == ({"team": "shop", LABEL: "in-progress"}, {"note": "keep", ACTIVE: "default/web"})
    assert written(during, route(0)) == begin


def test_the_last_of_several_rollouts_takes_the_label_off() -> None:
    other = replace(OWNER, name="api", canary_service="api-canary", stable_service="api-stable")
    both = live(SHARED, labels={LABEL: "in-progress"}, annotations={ACTIVE: "default/api,default/web"})
    assert marks(written(both, route(0))) == ({LABEL: "in-progress"}, {ACTIVE: "default/api"})
    assert marks(written(both, route(20))) == ({LABEL: "in-progress"}, {ACTIVE: "default/api,default/web"})
    last = written(written(both, route(0)), route(0), owner=other)
    assert marks(last) == ({}, {})


def test_a_label_of_ones_own_or_none() -> None:
    settings = spec(httpRoutes=[{"name": "web"}], inProgressLabelKey="shop/busy", inProgressLabelValue="yes")
    assert marks(written(live(SHARED), route(20), settings))[0] == {"shop/busy": "yes"}
    settings = spec(httpRoutes=[{"name": "web"}], disableInProgressLabel=True)
    assert marks(written(live(SHARED), route(20), settings)) == ({}, {})


def test_what_was_added_is_written_down_for_each_rollout() -> None:
    before = {ADDED: json.dumps({"default/api": {"rules": {"x": "0"}}})}
    begin = live(rule(stable(100)), rule(backend("docs")), annotations=before)
    during = written(begin, route(5, headers=[BETA], additional={"web-1-base": 5}))
    said = json.loads(marks(during)[1][ADDED])
    assert said["default/api"] == {"rules": {"x": "0"}}
    assert list(said["default/web"]["rules"]) == ["beta"]
    assert said["default/web"]["backends"] == ["web-canary", "web-1-base"]
    assert json.loads(marks(written(during, route(0)))[1][ADDED]) == json.loads(before[ADDED])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "3", '{"default/web": 3}', '{"default/web": {"rules": [], "backends": 1}}']
)
def test_rubbish_in_the_annotation_says_nothing(text: str) -> None:
    begin = live(SHARED, annotations={ADDED: text})
    during = written(begin, route(5, headers=[BETA]))
    assert list(json.loads(marks(during)[1][ADDED])["default/web"]["rules"]) == ["beta"]
    assert marks(written(during, route(0))) == ({}, {})
