"""Are the templates on the page about the judge valid, and are its tables about the API's defaults?"""

from typing import Any

import pytest
import yaml

from rollouts.api.analysis import AnalysisTemplateSpec
from rollouts.api.base import parse
from rollouts.api.judge import JudgeMetric
from rollouts.measure.judge import Judge
from rollouts.measure.judge_rules import rate_rule
from rollouts.measure.prometheus import Prometheus
from rollouts.plan.analysis.templates import TemplateKey, flatten_template
from rollouts.plan.analysis.validate import template_problems
from rollouts.ports import Kit
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "judge.md"
KIT = Kit(steps={}, providers={"judge": Judge({"prometheus": Prometheus()})})


def templates() -> list[dict[str, Any]]:
    """Return the page's template, and one for each of its parts that is a metric or requests."""
    whole, found = None, []
    for block in blocks(PAGE):
        part = yaml.safe_load(block.text) if block.language == "yaml" else None
        if isinstance(part, dict) and part.get("kind") == "AnalysisTemplate":
            whole = part["spec"]
            found.append(whole)
        elif isinstance(part, list) and "provider" in part[0]:
            assert whole is not None
            found.append({**whole, "metrics": part})
        elif isinstance(part, dict) and "total" in part.get("requests", {}):
            assert whole is not None
            (metric,) = whole["metrics"]
            judge = {**metric["provider"]["judge"], **part}
            found.append({**whole, "metrics": [{**metric, "provider": {"judge": judge}}]})
    return found


@pytest.mark.parametrize("spec", templates())
def test_every_template_of_the_page_is_valid(spec: dict[str, Any]) -> None:
    flat = flatten_template(TemplateKey("page"), spec, lambda _: None)
    assert list(template_problems(spec, parse(AnalysisTemplateSpec, spec), flat, KIT)) == []


def test_there_are_three() -> None:
    assert len(templates()) == 3


def test_the_defaults_are_those_of_the_page() -> None:
    spec = {"source": {}, "canary": "a", "baseline": "b", "requests": {"total": "", "bad": ""}}
    rule = rate_rule(parse(JudgeMetric, spec))
    text = PAGE.read_text()
    for name in ("margin", "ratio", "alpha", "minimum", "burst"):
        assert f"| `{name}` | {getattr(rule, name):g} |" in text
