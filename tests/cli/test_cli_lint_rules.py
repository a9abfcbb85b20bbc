"""lint says about every spec that can't be carried out what the controller would say."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from rollouts.cli.main import app
from tests.plan.broken import BROKEN, services
from tests.plan.given import rollout, service

# What only a cluster can tell: a Service or workload that is in none of the files may be there.
ONLY_IN_A_CLUSTER = {
    "a Service that doesn't exist",
    "an active Service that doesn't exist",
    "a workload that doesn't exist",
}

# What the schema of the CRD knows as well: lint tells it in the words for wrong types.
TOLD_AS_A_TYPE = {"labels that are none", "metadata that is none"}


@pytest.mark.parametrize("case", BROKEN)
def test_a_rule(case: str, tmp_path: Path) -> None:
    raw, problem = BROKEN[case]
    manifests = tmp_path / "web.yaml"
    others = (each for each in services().values() if each is not None)
    manifests.write_text(yaml.safe_dump_all([raw, *others], sort_keys=False))
    path, _, message = problem.partition(": ")
    if case in TOLD_AS_A_TYPE:
        message = "has the wrong type: expected an object"

    result = CliRunner().invoke(app, ["lint", "-f", str(manifests)])

    title = f"{manifests}:1: Rollout/{raw['metadata']['name']}: {path}"
    told = [line for line in result.stdout.splitlines() if line.startswith(title) and line.endswith(f": {message}")]
    expected = 0 if case in ONLY_IN_A_CLUSTER else 1
    assert (len(told), result.exit_code) == (expected, expected), result.stdout


def test_a_service_for_two_rollouts_is_the_first_ones(tmp_path: Path) -> None:
    manifests = tmp_path / "web.yaml"
    pair = [rollout(name=name, canary={"stableService": "web"}) for name in ("web", "shop")]
    manifests.write_text(yaml.safe_dump_all([*pair, service("web")], sort_keys=False))

    result = CliRunner().invoke(app, ["lint", "-f", str(manifests)])

    problem = 'Service "web" is used by another Rollout, "web": use a Service of your own'
    assert result.exit_code == 1
    assert result.stdout == f"{manifests}:2: Rollout/shop: spec.strategy.canary.stableService: {problem}\n"
