"""Analysis runs and experiments on the command line: what is shown, and what is sent."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rollouts.cli.console import open_screen
from rollouts.cli.experiment_picture import ExperimentPicture
from rollouts.cli.run_picture import RunPicture
from tests.cli.fake_api import FakeApi, failure

Json = dict[str, Any]
Run = Callable[..., Any]

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)

RUN = """\
Name:       web-new-2-1
Namespace:  default
Status:     ✖ Failed
Message:    Metric "errors" assessed Failed due to failed (2) > failureLimit (1)
Runs for:   Rollout web, revision 2, step 2
Started:    2024-05-01T11:57:41Z (2m19s ago)
Ended:      2024-05-01T11:58:41Z (79s ago)
Arguments:  most=0.05
            token=key token of Secret creds

✖ errors (prometheus)
    3 of 5 measured, every 30s: 1 successful, 2 failed (failureLimit 1)
    successCondition: result[0] <= 0.05
    2024-05-01T11:57:41Z  ✔ Successful  [0.01]
    2024-05-01T11:58:11Z  ✖ Failed      [0.2]
    2024-05-01T11:58:41Z  ✖ Failed      [0.3]

⚠ latency (web, only reports)
    0 measured: 5 in error, 5 in a row
    latency answered 503 with an empty body
    2024-05-01T11:58:21Z  ⚠ Error    latency answered 503 with an empty body
"""

COMPARE = """\
Name:         web-new-2-3-compare
Namespace:    default
Status:       ◌ Running
Waits:        metric "ratio": waits for the next measurement
Looks again:  2024-05-01T12:00:01Z (in 1s)
Runs for:     Experiment web-new-2-3
Started:      2024-05-01T11:58:31Z (89s ago)

◌ ratio (web)
    6 of 20 measured, every 10s: 3 successful, 1 failed (failureLimit 3), 2 inconclusive (inconclusiveLimit 4)
    successCondition: result < 2
    failureCondition: result > 3
    2024-05-01T11:59:51Z  ? Inconclusive  2.5
"""

EXPERIMENT = """\
Name:       web-new-2-3
Namespace:  default
Status:     ◌ Running
Waits:      waits for analysis "compare", which is Running
Runs for:   Rollout web, revision 2
Duration:   10m, until 2024-05-01T12:08:30Z (8m30s left)
Available:  2024-05-01T11:58:30Z (90s ago)

Templates:
  baseline  ✔ Running      1/1 available
  canary    ◌ Progressing  1/2 available  Service web-new-2-3-canary  more pods are on their way

Analyses:
  compare  ◌ Running  web-new-2-3-compare  required

NAME                              KIND         STATUS     AGE   INFO
Σ web-new-2-3                     Experiment   ◌ Running  2m    duration:10m
├── ⧉ web-new-2-3-baseline        ReplicaSet   ✔ Healthy  115s
│   └── □ web-new-2-3-baseline-1  Pod          ✔ Running  114s  ready:1/1
└── α web-new-2-3-compare         AnalysisRun  ◌ Running  89s   ✔ 3, ✖ 1, ? 2
"""  # noqa: RUF001 - as people see it


def of_kind(api: FakeApi, plural: str) -> list[Json]:
    return [each for (kind, _, _), each in api.objects.items() if kind == plural]


@pytest.mark.parametrize(("name", "picture"), [("web-new-2-1", RUN), ("web-new-2-3-compare", COMPARE)])
def test_the_picture_of_a_run(analyses: FakeApi, capsys: pytest.CaptureFixture[str], name: str, picture: str) -> None:
    raw = analyses.objects["analysisruns", "default", name]
    open_screen().show(RunPicture(raw).drawn(NOW))
    assert capsys.readouterr().out == picture


def test_a_low_terminal_gets_the_latest_measurement_of_each_metric(
    analyses: FakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = analyses.objects["analysisruns", "default", "web-new-2-1"]
    open_screen().show(RunPicture(raw).drawn(NOW, is_short=True))
    text = capsys.readouterr().out
    assert "[0.3]" in text
    assert "[0.2]" not in text


def test_the_picture_of_an_experiment(analyses: FakeApi, capsys: pytest.CaptureFixture[str]) -> None:
    raw = analyses.objects["experiments", "default", "web-new-2-3"]
    replica_sets, pods, runs = (of_kind(analyses, plural) for plural in ("replicasets", "pods", "analysisruns"))
    picture = ExperimentPicture(raw, replica_sets, pods, runs, ('waits for analysis "compare", which is Running',))
    open_screen().show(picture.drawn(NOW))
    assert capsys.readouterr().out == EXPERIMENT
    open_screen().show(picture.drawn(NOW, is_short=True))
    assert "Templates:" not in capsys.readouterr().out


@pytest.mark.usefixtures("analyses")
@pytest.mark.parametrize("kind", ["analysisrun", "analysisruns", "ar"])
def test_get_a_run(run: Run, kind: str) -> None:
    result = run("get", kind, "web-new-2-1")
    assert result.exit_code == 0
    assert "✖ errors (prometheus)" in result.stdout


@pytest.mark.usefixtures("analyses")
@pytest.mark.parametrize("kind", ["experiment", "experiments", "exp"])
def test_get_an_experiment(run: Run, kind: str) -> None:
    result = run("get", kind, "web-new-2-3")
    assert result.exit_code == 0
    assert "└── \N{GREEK SMALL LETTER ALPHA} web-new-2-3-compare" in result.stdout


@pytest.mark.parametrize(
    ("kind", "plural", "name"),
    [("analysisrun", "analysisruns", "web-new-2-1"), ("experiment", "experiments", "web-new-2-3")],
)
def test_objects_for_programs(run: Run, analyses: FakeApi, kind: str, plural: str, name: str) -> None:
    raw = analyses.objects[plural, "default", name]
    assert json.loads(run("get", kind, name, "-o", "json").stdout) == raw
    assert run("get", kind, f"{kind}/{name}", "-o", "name").stdout == f"{kind}.argoproj.io/{name}\n"
    assert f"{kind}.argoproj.io/{name}\n" in run("list", plural, "-o", "name").stdout
    assert json.loads(run("list", plural, "--name", name, "-o", "json").stdout)["items"] == [raw]


@pytest.mark.usefixtures("analyses")
def test_the_tree_of_a_rollout_has_its_analyses(run: Run) -> None:
    text = run("get", "rollout", "web").stdout
    assert "│   ├── Σ web-new-2-3 " in text
    assert "│       └── ⊞ u-run-2.smoke.2 " in text


@pytest.mark.usefixtures("analyses")
def test_lists(run: Run) -> None:
    header, *lines = run("list", "ar", "-o", "wide").stdout.splitlines()
    assert header.split() == ["NAME", "STATUS", "MEASURED", "RUNS-FOR", "AGE", "MESSAGE"]
    assert [line.split()[:2] for line in lines] == [
        ["web-new-2-1", "Failed"],
        ["web-new-2-2", "Running"],
        ["web-new-2-3-compare", "Running"],
    ]
    header, line = run("list", "exp").stdout.splitlines()
    assert header.split() == ["NAME", "STATUS", "DURATION", "REMAINING", "TEMPLATES", "AGE"]
    assert line.split()[:5] == ["web-new-2-3", "Running", "10m", "0s", "1/2"]
    assert run("list", "ar", "-n", "nowhere").stderr == "no analysis runs found in namespace 'nowhere'\n"


@pytest.mark.parametrize(
    ("words", "path", "said"),
    [
        (("analysisrun", "web-new-2-2"), "analysisruns/web-new-2-2", "analysis run 'web-new-2-2' terminated\n"),
        (("ar", "ar/web-new-2-2"), "analysisruns/web-new-2-2", "analysis run 'web-new-2-2' terminated\n"),
        (("experiment", "web-new-2-3"), "experiments/web-new-2-3", "experiment 'web-new-2-3' terminated\n"),
    ],
)
def test_terminate(run: Run, analyses: FakeApi, words: tuple[str, ...], path: str, said: str) -> None:
    result = run("terminate", *words)
    assert (result.exit_code, result.stdout) == (0, said)
    assert analyses.patches == [(path, {"spec": {"terminate": True}})]
    assert run("terminate", *words).stdout.endswith("is being terminated already\n")
    assert len(analyses.patches) == 1


def test_retry_an_experiment(run: Run, analyses: FakeApi) -> None:
    result = run("retry", "experiment", "web-new-2-3")
    assert (result.exit_code, analyses.patches) == (1, [])
    assert result.stderr == "error: experiment 'web-new-2-3' has not ended: there is nothing to retry\n"
    raw = analyses.objects["experiments", "default", "web-new-2-3"]
    raw["status"]["phase"] = "Failed"
    assert "rollouts retry experiment web-new-2-3 -n default" in run("explain", "exp", "web-new-2-3").stdout
    assert run("retry", "exp", "web-new-2-3").stdout == "experiment 'web-new-2-3' retried\n"
    assert analyses.patches == [("experiments/web-new-2-3", {"status": None})]
    raw["spec"]["terminate"], raw["status"] = True, {"phase": "Successful"}
    analyses.put("experiments", raw)
    assert run("retry", "experiment/web-new-2-3").exit_code == 0
    assert analyses.patches[-1] == ("experiments/web-new-2-3", {"spec": {"terminate": False}, "status": None})


@pytest.mark.usefixtures("analyses")
def test_terminate_shows_its_patch(run: Run) -> None:
    text = run("terminate", "exp", "web-new-2-3", "--show-patch").stdout
    assert text.startswith("kubectl patch experiment web-new-2-3 -n default --type=merge -p ")


@pytest.mark.usefixtures("analyses")
@pytest.mark.parametrize(
    ("words", "first"),
    [
        (("ar", "web-new-2-1"), "analysis run 'web-new-2-1' in namespace 'default' is Failed - Metric"),
        (("analysisrun/web-new-2-2",), "analysis run 'web-new-2-2' in namespace 'default' is Running\n"),
        (("experiment", "web-new-2-3"), "experiment 'web-new-2-3' in namespace 'default' is Running\n"),
        (("rollout", "web"), "rollout 'web' in namespace 'default' is Paused"),
        (("ro/web",), "rollout 'web' in namespace 'default' is Paused"),
    ],
)
def test_explain_takes_each_kind(run: Run, words: tuple[str, ...], first: str) -> None:
    assert run("explain", *words).stdout.startswith(first)


@pytest.mark.usefixtures("analyses")
def test_an_experiment_waits_for_what_its_planner_says(run: Run, analyses: FakeApi) -> None:
    why = 'AnalysisTemplate "compare" does not exist'
    analyses.objects["experiments", "default", "web-new-2-3"]["status"] = {}
    for key in [key for key in analyses.objects if key[2] == "web-new-2-3-baseline"]:
        del analyses.objects[key]
    assert why in run("explain", "exp", "web-new-2-3").stdout
    assert why in run("get", "exp", "web-new-2-3").stdout
    analyses.put("analysistemplates", {"metadata": {"name": "compare"}, "spec": {"metrics": []}})
    assert why not in run("get", "exp", "web-new-2-3").stdout
    analyses.fail = lambda seen: failure(403, "Forbidden", "no") if "/analysistemplates" in seen.path else None
    assert run("get", "exp", "web-new-2-3").exit_code == 0


def test_explain_takes_one_object_of_a_known_kind(run: Run) -> None:
    assert run("explain", "pod", "web").exit_code == 2
    assert run("explain", "rollout", "web", "cart").exit_code == 2
    assert run("explain").exit_code == 2


@pytest.mark.usefixtures("analyses")
def test_explain_tells_which_analysis_has_aborted_the_rollout(run: Run, rollout: Json, analyses: FakeApi) -> None:
    said = analyses.objects["analysisruns", "default", "web-new-2-1"]["status"]["message"]
    rollout["status"] |= {"abort": True, "phase": "Degraded", "pauseConditions": None, "controllerPause": None}
    rollout["status"]["message"] = f"RolloutAborted: Step-based analysis phase error/failed: {said}"
    text = run("explain", "web").stdout
    assert (
        "Analyses:\n"
        "  - analysis run web-new-2-1 (step 2) is Failed\n"
        '    - metric "errors": Failed, 3 of 5 measured, every 30s: 1 successful, 2 failed (failureLimit 1)\n'
        "      the last values are [0.2], [0.3]: successCondition is result[0] <= 0.05\n"
    ) in text
    facts = json.loads(run("explain", "web", "-o", "json").stdout)
    assert facts["analyses"][0]["parts"][0]["reasons"] == [
        "the last values are [0.2], [0.3]: successCondition is result[0] <= 0.05"
    ]


def test_a_run_whose_plugin_only_the_controller_has_is_not_called_invalid(run: Run, analyses: FakeApi) -> None:
    raw = analyses.objects["analysisruns", "default", "web-new-2-2"]
    raw["spec"]["metrics"][0]["provider"] = {"plugin": {"ours/metric": {}}}
    assert "invalid" not in run("explain", "ar", "web-new-2-2").stdout
    assert "invalid" not in run("get", "ar", "web-new-2-2").stdout
    del raw["status"]
    assert "no such metric provider is installed" in run("explain", "ar", "web-new-2-2").stdout


@pytest.mark.parametrize("code", [403, 404])
def test_what_may_not_be_read_is_left_out(run: Run, analyses: FakeApi, code: int) -> None:
    reasons = {403: "Forbidden", 404: "NotFound"}

    def refuse(seen: Any) -> Any:
        is_ours = "/analysisruns" in seen.path or "/experiments" in seen.path
        return failure(code, reasons[code], "no") if is_ours else None

    analyses.fail = refuse
    for words in (("get", "ro", "web"), ("get", "ro", "web", "-w", "--timeout-seconds", "1"), ("explain", "web")):
        result = run(*words)
        assert result.exit_code == 0, result.output
        assert "AnalysisRun" not in result.stdout


@pytest.mark.usefixtures("analyses")
@pytest.mark.parametrize(
    ("words", "error"),
    [
        (
            ("get", "ar", "x"),
            "error: analysis run 'x' not found in namespace 'default': `rollouts list analysisruns",
        ),
        (("get", "exp", "x"), "error: experiment 'x' not found in namespace 'default': `rollouts list experiments"),
        (("terminate", "ar", "x"), "error: analysis run 'x' not found"),
        (("explain", "exp", "x"), "error: experiment 'x' not found"),
    ],
)
def test_one_that_is_not_there(run: Run, words: tuple[str, ...], error: str) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert result.stderr.startswith(error)


@pytest.mark.parametrize(
    ("words", "plural", "name"),
    [
        (("ar", "web-new-2-3-compare"), "analysisruns", "web-new-2-3-compare"),
        (("exp", "web-new-2-3"), "experiments", "web-new-2-3"),
        (("ro", "web"), "analysisruns", "web-new-2-2"),
    ],
)
def test_a_watch_follows_what_is_measured(
    run: Run, analyses: FakeApi, words: tuple[str, ...], plural: str, name: str
) -> None:
    raw = analyses.objects[plural, "default", name]
    ended = threading.Event()

    def change() -> None:
        if not ended.is_set():
            ended.set()
            analyses.put(plural, {**raw, "metadata": {**raw["metadata"]}, "status": {"phase": "Inconclusive"}})

    analyses.on_watch = change
    result = run("get", *words, "-w", "--timeout-seconds", "4")
    assert result.exit_code == 0
    assert "? Inconclusive" in result.stdout.rpartition("---")[2]


def test_status_ends_with_the_analysis_that_aborted(run: Run, rollout: Json) -> None:
    why = 'RolloutAborted: Step-based analysis phase error/failed: Metric "errors" assessed Failed'
    rollout["status"] |= {"phase": "Degraded", "message": why, "abort": True}
    result = run("status", "web")
    assert result.exit_code == 1
    assert result.stderr == f"error: rollout 'web' is degraded: {why}\n"
