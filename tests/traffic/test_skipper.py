"""Which weights do Ingresses of Skipper get, and what of them stays untouched?"""

from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import SkipperTrafficRouting
from rollouts.ports import Objects, Reference, Route
from rollouts.traffic.skipper import Skipper
from tests.traffic.kinds import OWNER, Json, live, problems, route, written

ROUTER = Skipper()
WEIGHTS = "zalando.org/backend-weights"
INGRESS = Reference("networking.k8s.io", "Ingress", "default", "web")
WEB = parse(SkipperTrafficRouting, {"ingresses": ["web"]})


def path(name: str, at: str = "/") -> Json:
    backend = {"service": {"name": name, "port": {"number": 80}}}
    return {"path": at, "pathType": "Prefix", "backend": backend}


BOTH = (path("web-stable"), path("web-canary"))


def ingress(*paths: Json, weights: str | None = None, **annotations: str) -> Any:
    noted = {**annotations, **({} if weights is None else {WEIGHTS: weights})}
    rules = [{"host": "shop.example.com", "http": {"paths": list(paths)}}]
    return live(INGRESS, {"rules": rules}, **({"annotations": noted} if noted else {}))


ROWS: dict[str, tuple[str | None, Route, str]] = {
    "none yet": (None, route(20), '{"web-canary": 20, "web-stable": 80}'),
    "other ones": ('{"web-canary": 20, "web-stable": 80}', route(0), '{"web-canary": 0, "web-stable": 100}'),
    "the same, written in another way": (
        '{"web-stable":80,"web-canary":20}',
        route(20),
        '{"web-stable":80,"web-canary":20}',
    ),
    "those of other Services stay": ('{"docs": 3}', route(20), '{"docs": 3, "web-canary": 20, "web-stable": 80}'),
}


@pytest.mark.parametrize(("before", "wanted", "after"), ROWS.values(), ids=ROWS)
def test_weights(before: str | None, wanted: Route, after: str) -> None:
    found = written(ROUTER, WEB, ingress(*BOTH, weights=before, team="shop"), wanted)
    assert found == ingress(*BOTH, weights=after, team="shop")


def test_weights_that_cannot_be_read_are_left_alone() -> None:
    assert ROUTER.write(WEB, OWNER, route(20), ingress(*BOTH, weights="half")) == ()


PROBLEMS: dict[str, tuple[list[str], Objects | None, list[tuple[str, str]]]] = {
    "none is named": ([], None, [("ingresses", "names no Ingress: list those that send traffic to both Services")]),
    "one twice": (
        ["web", "web"],
        None,
        [(f"ingresses[{index}]", "web is listed 2 times: list it once") for index in (0, 1)],
    ),
    "one that doesn't exist": (
        ["web"],
        {INGRESS: None},
        [("ingresses[0]", "Ingress web doesn't exist in namespace default: create it")],
    ),
    "weights that can't be read": (
        ["web"],
        ingress(*BOTH, weights="[1]"),
        [
            (
                "ingresses[0]",
                f"the annotation {WEIGHTS} of Ingress web can't be read: write a JSON object, or remove it",
            )
        ],
    ),
    "no path of ours": (
        ["web"],
        ingress(path("docs")),
        [
            (
                "ingresses[0]",
                "no path of Ingress web has both web-canary and web-stable as backends: list one twice",
            )
        ],
    ),
    "a path without the canary": (
        ["web"],
        ingress(*BOTH, path("web-stable", "/api")),
        [
            (
                "ingresses[0]",
                "a path of Ingress web has no backend with the Service web-canary: list the path for it, too",
            )
        ],
    ),
    "all is well": (["web"], ingress(*BOTH, path("docs", "/docs")), []),
}


@pytest.mark.parametrize(("names", "objects", "wanted"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(names: list[str], objects: Objects | None, wanted: list[tuple[str, str]]) -> None:
    assert problems(ROUTER, parse(SkipperTrafficRouting, {"ingresses": names}), objects) == wanted
