"""What does the router write? In the terms of the public API only: no cluster, no controller."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError
from rollouts.ports import Destination, Owner, Patch, Reference, Route
from rollouts.ports.testing import RouterConformance

from rollouts_router_config_map import ConfigMapRouter
from rollouts_router_config_map.router import ConfigMapShares

ROUTER = ConfigMapRouter()
PLACE = Reference("", "ConfigMap", "default", "proxy")
OWNER = Owner("web", "default", "uid-web", "web-canary", "web-stable")
ROUTE = Route(Destination("web-canary", "c", 20), Destination("web-stable", "s", 80))
SPEC = ConfigMapShares(name="proxy")


class TestConfigMapRouter(RouterConformance):
    router = ROUTER
    specs = (SPEC, ConfigMapShares(name="proxy", key="web.map"))
    objects: ClassVar[dict[Reference, Any]] = {PLACE: {"metadata": {"name": "proxy"}, "data": {"proxy.cfg": "theirs"}}}


def test_one_key_is_written_and_the_others_stay() -> None:
    live = {PLACE: {"data": {"proxy.cfg": "theirs", "weights": "web-stable 100\n"}}}
    patch = Patch(PLACE, {"data": {"weights": "web-canary 20\nweb-stable 80\n"}})
    assert ROUTER.write(SPEC, OWNER, ROUTE, live) == (patch,)


def test_a_config_map_without_data_is_filled() -> None:
    (patch,) = ROUTER.write(SPEC, OWNER, ROUTE, {PLACE: {"metadata": {}}})
    assert patch.body == {"data": {"weights": "web-canary 20\nweb-stable 80\n"}}


def test_the_weights_are_of_the_maximum_that_the_spec_names() -> None:
    whole = replace(ROUTE, max_weight=1000, stable=replace(ROUTE.stable, weight=980))
    (patch,) = ROUTER.write(SPEC, OWNER, whole, {PLACE: {}})
    assert patch.body["data"]["weights"] == "web-canary 20\nweb-stable 980\n"


def test_each_problem_names_what_is_wrong_and_the_way_out() -> None:
    assert list(ROUTER.problems(SPEC, OWNER, {PLACE: None})) == [
        ("name", "ConfigMap proxy doesn't exist in namespace default: create it, and have the proxy read it")
    ]
    (problem,) = ROUTER.problems(ConfigMapShares(name="proxy", key="a b"), OWNER, None)
    assert problem[0] == "key"
    with pytest.raises(ValidationError):
        ConfigMapShares.model_validate({"name": "proxy", "keys": "typo"})
