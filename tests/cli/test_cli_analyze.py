"""What does `rollouts analyze` measure and print, and with which code does it exit?"""

import asyncio
import io
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from rich.console import Console
from typer.testing import CliRunner, Result

from rollouts.cli.analyze import Display
from rollouts.cli.analyzing import variable
from rollouts.cli.console import Screen
from rollouts.cli.main import app
from rollouts.measure.web import Web
from rollouts.ports import Kit
from tests.plan.analysis.given import metric, run, template
from tests.serving import serving_beside

Analyze = Callable[..., Result]
KIT = Kit(steps={}, providers={"web": Web()})
TOKEN = "s3cret-token"  # noqa: S105 - it is none


async def tell(request: web.Request) -> web.Response:
    """Answer with the rate of errors that the path names, and repeat what was sent."""
    rate, wish = request.path.removeprefix("/"), request.query_string
    if wish:  # a person has seen enough
        os.kill(os.getpid(), signal.SIGINT)
    if wish == "hang":
        await asyncio.Event().wait()
    if rate == "broken":
        return web.Response(status=503)
    return web.json_response({"rate": float(rate), "echo": request.headers.get("Authorization", "")})


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    with serving_beside(tell) as url:
        yield url


@pytest.fixture
def analyze(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Analyze:
    monkeypatch.setattr("rollouts.registry.load_kit", lambda: KIT)

    def analyze_(objects: list[dict[str, Any]], *words: str) -> Result:
        manifests = tmp_path / "analysis.yaml"
        manifests.write_text(yaml.safe_dump_all(objects, sort_keys=False))
        return CliRunner().invoke(app, ["analyze", "-f", str(manifests), *words])

    return analyze_


def rate(url: str, name: str = "errors", **fields: Any) -> dict[str, Any]:
    web = {"url": url, "jsonPath": "{$.rate}", **fields.pop("web", {})}
    return metric(name, **{"successCondition": "result <= 0.05", "provider": {"web": web}, **fields})


def named(spec: dict[str, Any], name: str = "shop", kind: str = "AnalysisTemplate") -> dict[str, Any]:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def test_a_good_version(analyze: Analyze, shop: str) -> None:
    result = analyze([named(template(rate(f"{shop}/0.01")))])
    assert result.exit_code == 0, result.output
    first, verdict = result.stdout.splitlines()
    assert first.split("  ")[1:] == ["errors", "0.01", "Successful"]
    assert verdict == "Successful"


def test_a_bad_version_by_an_argument(analyze: Analyze, shop: str) -> None:
    args = [{"name": "rate", "value": "0.01"}]
    result = analyze([named(template(rate(f"{shop}/{{{{args.rate}}}}"), args=args))], "--arg", "rate=0.5")
    assert result.exit_code == 1, result.output
    assert result.stdout.splitlines()[-1] == (
        'Failed: Metric "errors" assessed Failed due to failed (1) > failureLimit (0)'
    )


def test_inconclusive_and_error_have_codes_of_their_own(analyze: Analyze, shop: str) -> None:
    unsure = rate(f"{shop}/0.1", failureCondition="result > 0.2")
    assert analyze([named(template(unsure))]).exit_code == 3
    result = analyze([named(template(rate(f"{shop}/broken", consecutiveErrorLimit=0)))])
    assert result.exit_code == 4
    assert "503" in result.stdout


def test_json_is_the_status(analyze: Analyze, shop: str) -> None:
    metrics = [rate(f"{shop}/0.01"), rate(f"{shop}/0.5", "report")]
    result = analyze([named(template(*metrics, dryRun=[{"metricName": "report"}]))], "-o", "json")
    status = json.loads(result.stdout)
    assert (result.exit_code, status["phase"]) == (0, "Successful")
    assert status["dryRunSummary"] == {"count": 1, "failed": 1}


def test_each_measurement_is_told_once(analyze: Analyze, shop: str) -> None:
    result = analyze([named(template(rate(f"{shop}/0.01", interval="1s")))], "--count", "2")
    assert result.exit_code == 0, result.output
    assert [line.split("  ")[1:2] for line in result.stdout.splitlines()] == [["errors"], ["errors"], []]


def test_templates_of_templates_in_the_same_files(analyze: Analyze, shop: str) -> None:
    root = named(template(rate(f"{shop}/0.01"), templates=[{"templateName": "more", "clusterScope": True}]))
    more = named(template(rate(f"{shop}/0.02", "more")), "more", "ClusterAnalysisTemplate")
    result = analyze([root, more], "-o", "json")
    assert [each["name"] for each in json.loads(result.stdout)["metricResults"]] == ["errors", "more"]
    assert analyze([root, more], "--template", "more").stdout.count("Successful") == 2


@pytest.mark.parametrize("is_in_environment", [True, False])
def test_secrets_are_used_and_never_printed(
    analyze: Analyze, shop: str, monkeypatch: pytest.MonkeyPatch, *, is_in_environment: bool
) -> None:
    args = [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "shop-creds", "key": "api.token"}}}]
    web = {"jsonPath": "{$.echo}", "headers": [{"key": "Authorization", "value": "Bearer {{args.token}}"}]}
    condition = 'result == "Bearer {{args.token}}"'
    words: tuple[str, ...] = ("--secret", f"shop-creds/api.token={TOKEN}")
    if is_in_environment:
        assert variable("shop-creds", "api.token") == "ROLLOUTS_SECRET_SHOP_CREDS_API_TOKEN"
        monkeypatch.setenv("ROLLOUTS_SECRET_SHOP_CREDS_API_TOKEN", TOKEN)
        words = ()
    result = analyze([named(template(rate(f"{shop}/0", web=web, successCondition=condition), args=args))], *words)
    assert result.exit_code == 0, result.output
    assert TOKEN not in result.output
    assert "Bearer *****" in result.stdout


def test_a_secret_that_is_not_given_is_named(analyze: Analyze, shop: str) -> None:
    args = [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "creds", "key": "token"}}}]
    result = analyze([named(template(rate(f"{shop}/0", consecutiveErrorLimit=0), args=args))])
    assert result.exit_code == 4
    assert 'the Secret "creds" does not exist' in result.stdout


def test_a_run_made_by_hand(analyze: Analyze, shop: str) -> None:
    assert analyze([run(rate(f"{shop}/0.01"))]).exit_code == 0


def test_a_spec_that_cannot_be_carried_out(analyze: Analyze, shop: str) -> None:
    result = analyze([named(template(rate(f"{shop}/0", count=3)))])
    assert result.exit_code == 4
    assert result.stdout.startswith("Error: Analysis spec invalid: spec.metrics[0].interval: is missing")


@pytest.mark.parametrize(
    ("objects", "words", "problem"),
    [
        ([], (), "no template or run to run: --template chooses one of none"),
        ([named(template(), "a"), named(template(), "b")], (), "more than one template to run: --template chooses one"),
        ([named(template(), "a")], ("--template", "b"), "no template or run 'b' to run: --template chooses one of a"),
        ([named(template(args=[{"name": "x"}]))], (), "args.x was not resolved: give it a value (--arg NAME=VALUE)"),
        ([named(template(args=[{"name": "x"}]))], ("--arg", "y=1"), "--arg y: no such argument; declared are x"),
        ([named(template())], ("--arg", "y"), "--arg: write NAME=VALUE"),
        ([named(template())], ("--secret", f"y={TOKEN}"), "--secret: write NAME/KEY=VALUE"),
        ([named({"metrics": 5})], (), "spec.metrics is 5: expected a list"),
        ([named(template(templates=[{"templateName": "b"}]))], (), 'AnalysisTemplate "b"'),
    ],
)
def test_what_cannot_be_run_is_told(
    analyze: Analyze, objects: list[dict[str, Any]], words: tuple[str, ...], problem: str
) -> None:
    result = analyze(objects, *words)
    assert result.exit_code == 2, result.output
    assert problem in result.stderr
    assert TOKEN not in result.output


def test_on_a_terminal_the_metrics_stand_below_the_measurements() -> None:
    written = io.StringIO()
    console = Console(file=written, force_terminal=True, width=100)
    measurement = {"phase": "Failed", "startedAt": "a", "finishedAt": "12:00:01", "value": "[0.5]"}
    result = {"name": "errors", "phase": "Running", "count": 1, "failed": 1, "measurements": [measurement]}
    with Display(Screen(console, is_live=True), is_quiet=False) as display:
        for _ in range(2):
            display.show({"metricResults": [result]}, ['metric "errors": waits [10s]'])
    text = written.getvalue()
    assert text.count("12:00:01  errors  [0.5]  Failed") == 1
    assert 'metric "errors": waits [10s]' in text
    assert "measured" in text


@pytest.mark.parametrize("wish", ["stop", "hang"])
def test_control_c_terminates_the_run(analyze: Analyze, shop: str, wish: str) -> None:
    result = analyze([named(template(rate(f"{shop}/0.01?{wish}", interval="1h")))])
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "Successful: Run Terminated")
