from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

Json = dict[str, Any]

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def documents() -> list[Json]:
    text = Path(__file__).with_name("paused.yaml").read_text()
    return list(yaml.safe_load_all(text))


@pytest.fixture
def paused(documents: list[Json]) -> Json:
    """The Rollout of paused.yaml."""
    return deepcopy(documents[0])


@pytest.fixture
def replica_sets(documents: list[Json]) -> list[Json]:
    return deepcopy([each for each in documents if each["kind"] == "ReplicaSet"])


@pytest.fixture
def pods(documents: list[Json]) -> list[Json]:
    return deepcopy([each for each in documents if each["kind"] == "Pod"])


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def given(paused: Json) -> Callable[..., Json]:
    """Return the Rollout with other status and spec fields; None removes one."""

    def change(spec: Json | None = None, **status: Any) -> Json:
        for part, changes in (("spec", spec or {}), ("status", status)):
            for key, value in changes.items():
                paused[part].pop(key, None)
                if value is not None:
                    paused[part][key] = value
        return paused

    return change
