"""Is every provider that comes with us found by the registry?"""

import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from rollouts.api.metrics import MetricProvider

ROOT = Path(__file__).parents[2]
POINTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"][
    "rollouts.measure"
]


@pytest.mark.parametrize("name", POINTS)
def test_a_provider_is_registered_by_its_key_and_has_the_model_of_the_api(name: str) -> None:
    module, _, attribute = POINTS[name].partition(":")
    provider: Any = getattr(import_module(module), attribute)()
    assert provider.key == name
    fields = {field.alias: field for field in MetricProvider.model_fields.values()}
    assert provider.model.__name__ in str(fields[name].annotation)


def test_the_reference_has_a_row_for_every_provider_of_the_api() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \|", (ROOT / "docs" / "reference" / "providers.md").read_text("utf-8"), re.MULTILINE
    )
    assert {field.alias for field in MetricProvider.model_fields.values()} <= set(rows)
