"""Are the examples on the page about experiments valid, together with the templates that they name?"""

from typing import Any

import yaml

from rollouts.api.experiment import parse_experiment
from rollouts.api.rollout import parse_rollout
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.experiment.validate import experiment_problems, reference_problems
from rollouts.plan.validate import problems
from rollouts.registry import load_kit
from tests.docs.pages import ROOT, blocks
from tests.plan.given import rollout

PAGE = ROOT / "docs" / "how-to" / "experiments.md"


def template(*args: str) -> dict[str, Any]:
    query = " ".join(f"{{{{args.{name}}}}}" for name in args)
    metric = {"name": "m", "provider": {"prometheus": {"address": "http://prometheus", "query": query}}}
    return {"args": [{"name": name} for name in args], "metrics": [metric]}


TEMPLATES = {
    TemplateKey("latency"): template("pods", "baseline"),
    TemplateKey("not-worse"): template("canary", "stable"),
}


def parts() -> list[dict[str, Any]]:
    return [yaml.safe_load(block.text) for block in blocks(PAGE) if block.language == "yaml"]


def test_the_experiment_can_be_carried_out() -> None:
    experiment = parts()[0]
    spec = parse_experiment(experiment).spec
    assert not list(experiment_problems(experiment, spec))
    assert not list(reference_problems(experiment["spec"], spec, TEMPLATES))


def test_so_can_the_canary() -> None:
    raw = rollout("app:2", steps=parts()[1]["strategy"]["canary"]["steps"])
    assert not list(problems(parse_rollout(raw), raw, load_kit(), templates=TEMPLATES.get))
