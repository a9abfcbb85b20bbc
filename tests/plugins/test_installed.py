"""Who is found by the registry, and what does it say of those that can't be had?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import pytest

from rollouts import registry
from rollouts.ports.checked_provider import CheckedProvider
from rollouts.ports.checked_step import CheckedCalledStep, CheckedStep
from rollouts.registry import MEASURE, STEPS, TRAFFIC, Plugin
from tests.calling import Declared, Gatekeeper
from tests.plugins.strangers import Measures, Stands, fall, leave, sleep


@dataclass(frozen=True)
class Home:
    name: str
    version: str = "1.0"


@dataclass(frozen=True)
class Point:
    """An entry point as importlib.metadata has it."""

    name: str
    loads: Any
    dist: Home = Home("rollouts-stranger")
    value: str = "stranger:Plugin"

    def load(self) -> Any:
        return self.loads


@pytest.fixture
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "LOADING_LIMIT", 0.2)
    registry.plugins.cache_clear()
    registry.load_kit.cache_clear()
    yield
    registry.plugins.cache_clear()
    registry.load_kit.cache_clear()


def installed(monkeypatch: pytest.MonkeyPatch, group: str, *points: Point) -> Sequence[Plugin]:
    def entry_points(**asked: str) -> Sequence[Any]:
        return [*metadata.entry_points(**asked), *(points if asked["group"] == group else ())]

    monkeypatch.setattr(registry, "entry_points", entry_points)
    return [each for each in registry.plugins() if not each.is_ours]


@pytest.mark.usefixtures("_fresh")
def test_strangers_are_found_and_looked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, STEPS, Point("declared", Declared), Point("gatekeeper", Gatekeeper))
    kit = registry.load_kit()
    assert isinstance(kit.steps["declared"], CheckedStep)
    assert isinstance(kit.steps["gatekeeper"], CheckedCalledStep)
    assert kit.strangers == {"declared": "rollouts-stranger 1.0", "gatekeeper": "rollouts-stranger 1.0"}
    assert not isinstance(kit.steps["pause"], CheckedStep)


@pytest.mark.usefixtures("_fresh")
def test_a_provider_is_looked_after_too(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, MEASURE, Point("stranger", Measures))
    assert isinstance(registry.load_kit().providers["stranger"], CheckedProvider)


@pytest.mark.parametrize(
    ("point", "says"),
    [
        (Point("stranger", fall), "can't be loaded: ValueError"),
        (Point("stranger", leave), "can't be loaded: a plugin ended its thread: SystemExit"),
        (Point("stranger", sleep), "can't be loaded: it didn't finish loading within 0.2 seconds"),
        (Point("stranger", int), "the class isn't derived from rollouts.ports.step.Step"),
        (Point("other", Stands), "calls itself 'stranger' but is registered as 'other'"),
        (Point("pause", Stands), "has the name of one of ours"),
    ],
)
@pytest.mark.usefixtures("_fresh")
def test_what_cannot_be_had_is_told_and_hurts_nobody_else(
    monkeypatch: pytest.MonkeyPatch, point: Point, says: str
) -> None:
    (found,) = installed(monkeypatch, STEPS, point)
    kit = registry.load_kit()
    assert says in found.problem
    assert kit.broken[point.name] == found.problem
    assert {"setWeight", "pause", "setCanaryScale"} <= set(kit.steps)
    assert kit.strangers == {}


@pytest.mark.usefixtures("_fresh")
def test_of_two_with_one_name_neither_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, STEPS, Point("stranger", Stands), Point("stranger", Stands, Home("rollouts-second")))
    kit = registry.load_kit()
    assert "stranger" not in kit.steps
    assert "is registered twice" in kit.broken["stranger"]


@pytest.mark.usefixtures("_fresh")
def test_kinds_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = installed(monkeypatch, TRAFFIC, Point("pause", fall))
    assert found.problem.startswith("router 'pause' (stranger:Plugin, of rollouts-stranger 1.0) can't be loaded")
