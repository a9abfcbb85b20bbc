"""Does the judge work from a laptop, against an HTTP server, measurement after measurement?"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from typer.testing import CliRunner, Result

from rollouts.cli.main import app
from rollouts.measure.judge import Judge
from rollouts.measure.web import Web
from rollouts.ports import Kit
from tests.serving import serving_beside

KIT = Kit(steps={}, providers={"judge": Judge({"web": Web()})})


class Shop:
    """Tells of 500 requests a look and version; the version's name ends with the share in percent that fails."""

    looks = 0

    async def tell(self, request: web.Request) -> web.Response:
        self.looks += 1
        total = 500 * (1 + self.looks // 4)
        return web.json_response({"all": total, "failed": total * int(request.query["version"].split("-")[1]) // 100})


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("rollouts.registry.load_kit", lambda: KIT)
    monkeypatch.setattr("rollouts.cli.analysis_checks.load_kit", lambda: KIT)
    with serving_beside(Shop().tell) as url:
        yield url


def run(command: str, tmp_path: Path, url: str, canary: str, *words: str, **judge: Any) -> Result:
    whole = {
        "source": {"web": {"url": f"{url}/?version=$version&seconds=$seconds"}},
        "canary": "{{args.canary}}",
        "baseline": "stable-1",
        "requests": {"total": "{$.all}", "bad": "{$.failed}"},
        **judge,
    }
    metric = {"name": "errors", "interval": "1s", "count": 4, "provider": {"judge": whole}}
    spec = {"args": [{"name": "canary"}], "metrics": [metric]}
    file = tmp_path / "judge.yaml"
    named = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "judge"}}
    file.write_text(yaml.safe_dump({**named, "spec": spec}))
    arguments = ["--arg", f"canary={canary}"] if command == "analyze" else []
    return CliRunner().invoke(app, [command, "-f", str(file), *arguments, *words])


def test_a_bad_canary(shop: str, tmp_path: Path) -> None:
    result = run("analyze", tmp_path, shop, "canary-5", margin="1%")
    assert result.exit_code == 1, result.output
    *measurements, verdict = result.stdout.splitlines()
    assert "5% of" in measurements[-1]
    assert "shown to be more than the baseline's rate plus 1 points" in verdict.replace("\n", " ")


def test_a_good_canary(shop: str, tmp_path: Path) -> None:
    result = run("analyze", tmp_path, shop, "canary-1", "-o", "json", margin="5%", endEarly=True)
    status = json.loads(result.stdout)
    assert (result.exit_code, status["phase"]) == (0, "Successful")
    (metric,) = status["metricResults"]
    assert metric["count"] < 4
    assert json.loads(metric["metadata"]["evidence"])["intervals"] == metric["count"]


def test_lint_knows_it(shop: str, tmp_path: Path) -> None:
    assert run("lint", tmp_path, shop, "canary-1", margin="{{args.canary}}").exit_code == 0
    result = run("lint", tmp_path, shop, "canary-1", margin="half")
    assert "spec.metrics[0].provider.judge.margin: 'half' is no number" in result.stdout
