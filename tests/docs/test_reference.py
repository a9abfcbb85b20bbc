"""Is the reference current? `GOLDEN=rewrite pytest tests/docs/test_reference.py` makes it so."""

import os
import re

import pytest

from rollouts.api.status import CanaryStatus
from rollouts.plan.conditions import INVALID_SPEC
from tests.docs.pages import ROOT
from tests.docs.reference import PARTS, rewritten

REFERENCE = ROOT / "docs" / "reference"
HOW_TO = ROOT / "docs" / "how-to"


@pytest.mark.parametrize("page", PARTS)
def test_generated_parts_are_current(page: str) -> None:
    file = REFERENCE / page
    text = file.read_text()
    wanted = rewritten(page, text)
    if os.environ.get("GOLDEN") == "rewrite":
        file.write_text(wanted)
    else:
        assert text == wanted, "GOLDEN=rewrite pytest tests/docs/test_reference.py"


def test_metrics_that_the_pages_name_exist() -> None:
    reference = (REFERENCE / "controller.md").read_text()
    page = (HOW_TO / "monitor.md").read_text()
    names = set(re.findall(r"\b((?:rollouts?_|workqueue_|controller_clientset_|argo_rollouts_)\w+)", page))
    assert names
    assert {name for name in names if f"`{name.removesuffix('_bucket')}`" not in reference} == set()


def test_the_status_fields_of_ours_exist() -> None:
    aliases = {field.alias for field in CanaryStatus.model_fields.values()}
    assert "pausedStepIndex" in aliases
    assert "`status.canary.pausedStepIndex`" in (REFERENCE / "controller.md").read_text()


def test_every_page_about_conditions_names_invalid_spec() -> None:
    assert f"`{INVALID_SPEC}`" in (HOW_TO / "find-out-why-nothing-moves.md").read_text()
