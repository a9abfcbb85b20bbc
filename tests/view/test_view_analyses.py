"""How far are analyses and experiments, and why? Counted, held against limits, and told in words."""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollouts.plan.actions import TerminateChild
from rollouts.plan.experiment.experiment import ExperimentPlan
from rollouts.view.child_explanation import explain_experiment, explain_run
from rollouts.view.experiments import experiment_view
from rollouts.view.jsonable import jsonable
from rollouts.view.listing import experiment_line, run_line
from rollouts.view.metrics import metric_rows
from rollouts.view.requests import Change, Nothing, terminate
from rollouts.view.rollout import rollout_view
from rollouts.view.runs import purpose_of, run_row, run_view
from rollouts.view.tree import tree_rows
from rollouts.view.verdicts import of_rollout, of_run

Json = dict[str, Any]

CAUSE = "Rollout aborted update to revision 2: Step-based analysis phase error/failed"


@pytest.fixture
def objects() -> dict[str, Json]:
    """The objects of analyses.yaml by name."""
    text = Path(__file__).with_name("analyses.yaml").read_text()
    return {each["metadata"]["name"]: each for each in yaml.safe_load_all(text)}


@pytest.fixture
def failed(objects: dict[str, Json]) -> Json:
    return objects["web-new-2-1"]


@pytest.fixture
def running(objects: dict[str, Json]) -> Json:
    return objects["web-new-2-2"]


@pytest.fixture
def experiment(objects: dict[str, Json]) -> Json:
    return objects["web-new-2-3"]


def of_kind(objects: dict[str, Json], kind: str) -> list[Json]:
    return [each for each in objects.values() if each["kind"] == kind]


def metric(metrics: Json | None = None, **result: Any) -> Json:
    """Return a run of one metric with such a result."""
    spec = {"name": "m", "provider": {"web": {}}, **(metrics or {})}
    phase = result.get("phase", "Running")
    return {
        "metadata": {"name": "run"},
        "spec": {"metrics": [spec]},
        "status": {"phase": phase, "metricResults": [{"name": "m", **result}]},
    }


def told(run: Json) -> list[str]:
    """Return what is said about the run's metrics."""
    return [line.strip() for part in of_run(run).parts for line in part.lines()]


def test_experiments_and_runs_stand_below_their_revision(
    paused: Json, replica_sets: list[Json], pods: list[Json], objects: dict[str, Json], now: datetime
) -> None:
    view = rollout_view(
        paused,
        [*replica_sets, *of_kind(objects, "ReplicaSet")],
        [*pods, *of_kind(objects, "Pod")],
        now,
        runs=of_kind(objects, "AnalysisRun"),
        experiments=of_kind(objects, "Experiment"),
    )
    lines = [
        f"{row.branch}{row.kind} {row.name} {row.status} {', '.join(row.info)}".rstrip() for row in tree_rows(view)
    ]
    assert lines[:13] == [
        "Rollout web Paused",
        "├── Revision revision:2",
        "│   ├── ReplicaSet web-new Healthy canary",
        "│   │   └── Pod web-new-1 Running ready:1/1, restarts:2",
        "│   ├── Experiment web-new-2-3 Running duration:10m",
        "│   │   ├── ReplicaSet web-new-2-3-baseline Healthy",
        "│   │   │   └── Pod web-new-2-3-baseline-1 Running ready:1/1",
        "│   │   └── AnalysisRun web-new-2-3-compare Running ✔ 3, ✖ 1, ? 2",
        "│   ├── AnalysisRun web-new-2-1 Failed ✔ 1, ✖ 2, ⚠ 5",
        "│   └── AnalysisRun web-new-2-2 Running ✖ 1",
        "│       ├── Job u-run-2.smoke.1 Failed",
        "│       └── Job u-run-2.smoke.2 Running",
        "└── Revision revision:1",
    ]


def test_a_revision_whose_replica_set_is_gone_keeps_its_runs(paused: Json, failed: Json, now: datetime) -> None:
    view = rollout_view(paused, [], [], now, runs=[failed])
    assert [row.name for row in tree_rows(view)] == ["web", "revision:2", "web-new-2-1"]


def test_others_runs_and_experiments_are_left_out(paused: Json, objects: dict[str, Json], now: datetime) -> None:
    for each in objects.values():
        each["metadata"]["ownerReferences"][0]["uid"] = "another"
    view = rollout_view(
        paused, [], [], now, runs=of_kind(objects, "AnalysisRun"), experiments=of_kind(objects, "Experiment")
    )
    assert view.revisions == ()


@pytest.mark.parametrize(
    ("kind", "index", "purpose"),
    [
        ("Step", "1", "Rollout web, revision 2, step 2"),
        ("Step", "", "Rollout web, revision 2, a step"),
        ("Background", "", "Rollout web, revision 2, background"),
        ("PrePromotion", "", "Rollout web, revision 2, before promotion"),
        ("PostPromotion", "", "Rollout web, revision 2, after promotion"),
        ("", "", "Rollout web, revision 2"),
    ],
)
def test_for_whom_a_run_runs(failed: Json, kind: str, index: str, purpose: str) -> None:
    failed["metadata"]["labels"] = {"rollout-type": kind, "step-index": index}
    assert purpose_of(failed) == purpose
    failed["metadata"]["ownerReferences"] = []
    assert purpose_of(failed) == "nobody: it was created by hand"


def test_a_metric_is_held_against_its_limits_with_its_arguments_filled_in(failed: Json) -> None:
    errors, latency = metric_rows(failed)
    assert errors.tally == "3 of 5 measured, every 30s: 1 successful, 2 failed (failureLimit 1)"
    assert (errors.provider, errors.success_condition, errors.mood) == ("prometheus", "result[0] <= 0.05", "bad")
    assert latency.is_dry_run
    assert latency.limits == {}, "its limit is a Secret's value"
    assert latency.tally == "0 measured: 5 in error, 5 in a row"


def test_what_cannot_be_read_is_shown_as_far_as_it_goes() -> None:
    run = metric({"count": "{{args.nobody}}", "provider": {"plugin": {"ours/metric": {}}}}, count=2, successful=2)
    run["spec"]["args"] = [{"name": 3}, {"name": "x", "value": "1"}]
    (row,) = metric_rows(run)
    assert (row.tally, row.provider, row.rules) == ("2 measured: 2 successful", "ours/metric", None)
    assert [each.name for each in metric_rows({"spec": {"metrics": ["text", {"name": "n"}]}})] == ["n"]


def test_a_run_that_nobody_has_looked_at_is_pending() -> None:
    run = {"metadata": {"name": "run"}, "spec": {"metrics": [{"name": "m", "provider": {}}]}}
    assert run_row(run).phase == "Pending"
    finding = of_run(run)
    assert finding.subject == "analysis run run is Pending"
    assert finding.reasons == ("no controller has looked at it yet",)
    assert told(run) == ['- metric "m": not measured yet, 0 of 1 measured']


def test_what_waits_is_told_until_the_end_only(failed: Json, running: Json, now: datetime) -> None:
    assert run_view(running, ("it waits",), now).because == ("it waits",)
    assert run_view(failed, ("it has ended",), now).because == ()


@pytest.mark.parametrize(
    ("spec", "result", "words"),
    [
        pytest.param(
            {"successCondition": "result < 1", "failureLimit": 3, "interval": "5s"},
            {"count": 1, "failed": 1},
            ['- metric "m": Running, 1 measured, every 5s: 1 failed (failureLimit 3)', "2 more failures are tolerated"],
            id="failures that are tolerated so far",
        ),
        pytest.param(
            {"failureLimit": 1, "interval": "5s"},
            {"count": 1, "failed": 1},
            ['- metric "m": Running, 1 measured, every 5s: 1 failed (failureLimit 1)', "the next failure ends it"],
            id="none is tolerated any more",
        ),
        pytest.param(
            {"failureCondition": "result > 2"},
            {"phase": "Failed", "count": 1, "failed": 1, "measurements": [{"phase": "Failed", "value": "3"}]},
            [
                '- metric "m": Failed, 1 of 1 measured: 1 failed (failureLimit 0)',
                "the last value is 3: failureCondition is result > 2",
            ],
            id="a failure condition that is met",
        ),
        pytest.param(
            {"failureCondition": "result > 2", "successCondition": "result < 1"},
            {"phase": "Inconclusive", "inconclusive": 1, "measurements": [{"phase": "Inconclusive", "value": "1.5"}]},
            [
                '- metric "m": Inconclusive, 0 of 1 measured: 1 inconclusive (inconclusiveLimit 0)',
                "the last value is 1.5: neither successCondition (result < 1) nor failureCondition (result > 2) is met",
            ],
            id="neither condition is met",
        ),
        pytest.param(
            {"successCondition": "result"},
            {
                "phase": "Error",
                "message": "expected bool, but got int",
                "error": 5,
                "consecutiveError": 5,
                "measurements": [{"phase": "Error", "message": "expected bool, but got int"}],
            },
            [
                '- metric "m": Error, 0 of 1 measured: 5 in error, 5 in a row (consecutiveErrorLimit 4)',
                "the last error of web: expected bool, but got int",
                "a condition has to be true or false: try it with `rollouts eval`",
            ],
            id="a condition that is none",
        ),
        pytest.param(
            {},
            {"error": 1, "measurements": [{"phase": "Error", "message": "x:9090: no connection: is it running?"}]},
            [
                '- metric "m": Running, 0 of 1 measured: 1 in error',
                "the last error of web: x:9090: no connection: is it running?",
            ],
            id="an error that asks the right question itself",
        ),
        pytest.param(
            {"failureLimit": 2, "interval": "1s", "count": 2},
            {"phase": "Failed", "count": 2, "failed": 2, "message": "none of 2 measurements was successful"},
            [
                '- metric "m": Failed, 2 of 2 measured, every 1s: 2 failed (failureLimit 2)',
                "none of 2 measurements was successful",
            ],
            id="a verdict that no limit explains",
        ),
        pytest.param(
            {},
            {
                "phase": "Failed",
                "failed": 1,
                "count": 1,
                "measurements": [{"phase": "Failed", "message": "exit code 3"}],
            },
            ['- metric "m": Failed, 1 of 1 measured: 1 failed (failureLimit 0)', "exit code 3"],
            id="what a provider says of a failure",
        ),
        pytest.param(
            {"interval": "5s", "successCondition": "result < 1"},
            {"measurements": [{"phase": "Running", "message": "waits for data: no series"}]},
            ['- metric "m": Running, 0 measured, every 5s', "waits for data: no series"],
            id="why there is no value yet",
        ),
        pytest.param({}, {"phase": "Successful", "count": 1, "successful": 1}, [], id="what was good needs no words"),
    ],
)
def test_why_a_metric_stands_as_it_does(spec: Json, result: Json, words: list[str]) -> None:
    run = metric(spec, **{"phase": "Running", **result})
    assert told(run) == words


def test_long_values_are_cut() -> None:
    run = metric(phase="Failed", failed=1, measurements=[{"phase": "Failed", "value": "9" * 200}])
    assert told(run)[1] == f"the last value is {'9' * 80}..."


def test_a_message_is_told_where_no_metric_tells_it() -> None:
    run = metric()
    run["status"] = {"phase": "Error", "message": "Analysis spec invalid: spec.metrics: is empty"}
    assert of_run(run).reasons == ("Analysis spec invalid: spec.metrics: is empty",)


def test_what_holds_a_rollout(given: Callable[..., Json], objects: dict[str, Json]) -> None:
    runs, experiments = of_kind(objects, "AnalysisRun"), of_kind(objects, "Experiment")
    assert of_rollout(given(), runs, experiments) == ()
    rollout = given(
        canary={
            "currentBackgroundAnalysisRunStatus": {"name": "web-new-2-2", "status": "Running"},
            "currentExperiment": "web-new-2-3",
        }
    )
    found = of_rollout(rollout, runs, experiments)
    assert [each.subject for each in found] == [
        "analysis run web-new-2-2 (background) is Running",
        "experiment web-new-2-3 is Running",
    ]
    assert found[1].reasons == ('template "canary": Progressing, 1 of 2 pods available: more pods are on their way',)
    assert [each.subject for each in found[1].parts] == ["analysis run web-new-2-3-compare is Running"]


def test_what_has_aborted_a_rollout_is_told_though_nothing_names_it_any_more(
    given: Callable[..., Json], objects: dict[str, Json]
) -> None:
    runs = of_kind(objects, "AnalysisRun")
    told = f"RolloutAborted: {CAUSE}: {objects['web-new-2-1']['status']['message']}"
    (finding,) = of_rollout(given(abort=True, message=told), runs, [])
    assert finding.subject == "analysis run web-new-2-1 (step 2) is Failed"
    assert of_rollout(given(abort=True, message=told, currentPodHash="another"), runs, []) == ()


def test_what_an_abort_has_ended_is_not_taken_for_its_cause(
    given: Callable[..., Json], objects: dict[str, Json]
) -> None:
    cause, ended = objects["web-new-2-1"], deepcopy(objects["web-new-2-2"])
    ended["metadata"]["creationTimestamp"] = "2024-05-01T11:59:50Z"
    ended["status"] |= {"phase": "Inconclusive", "message": 'Metric "smoke" assessed Inconclusive'}
    told = f"RolloutAborted: {CAUSE}: {cause['status']['message']}"
    (finding,) = of_rollout(given(abort=True, message=told), [cause, ended], [])
    assert finding.subject == "analysis run web-new-2-1 (step 2) is Failed"


def test_an_abort_by_a_person_has_no_analysis_for_a_cause(given: Callable[..., Json], objects: dict[str, Json]) -> None:
    runs = of_kind(objects, "AnalysisRun")
    assert of_rollout(given(abort=True, message="RolloutAborted: Rollout aborted update to revision 2"), runs, []) == ()


def test_a_run_is_explained_with_what_a_person_can_do(failed: Json, running: Json, now: datetime) -> None:
    text = "\n".join(explain_run(running, ("it waits",), now + timedelta(seconds=5)).lines(now))
    assert "Because:\n  - it waits\n" in text
    assert "in 5s" in text
    assert "rollouts terminate analysisrun web-new-2-2 -n default" in text
    assert "rollouts explain rollout web -n default" in text
    ended = explain_run(failed, ("the analysis has ended",), None)
    assert ended.because == ()
    assert "terminate" not in "\n".join(ended.lines(now))
    assert jsonable(ended)["findings"][0]["reasons"] == [
        "the last values are [0.2], [0.3]: successCondition is result[0] <= 0.05"
    ]


def test_an_experiment_is_explained_by_its_plan(objects: dict[str, Json], experiment: Json, now: datetime) -> None:
    plan = ExperimentPlan(
        actions=(TerminateChild("AnalysisRun", "web-new-2-3-compare", "u-run-3"),),
        because=("its duration is over",),
        wake_at=now + timedelta(seconds=5),
    )
    text = "\n".join(explain_experiment(experiment, plan, of_kind(objects, "AnalysisRun")).lines(now))
    assert text.startswith(
        "experiment 'web-new-2-3' in namespace 'default' is Running\n"
        "It runs for Rollout web, revision 2\n"
        "Because:\n"
        "  - its duration is over\n"
        "What was found:\n"
        "  - experiment web-new-2-3 is Running\n"
        '    template "canary": Progressing, 1 of 2 pods available: more pods are on their way\n'
        "    - analysis run web-new-2-3-compare is Running\n"
    )
    assert "The controller does next:\n  - terminate AnalysisRun web-new-2-3-compare\n" in text
    assert "(in 5s)" in text


def test_an_experiment_before_and_without_a_status(experiment: Json, now: datetime) -> None:
    del experiment["status"]
    view = experiment_view(experiment, (), (), (), now)
    assert (view.status.phase, [row.status for row in view.templates]) == ("Pending", ["Pending", "Pending"])
    assert [(row.phase, row.run) for row in view.analyses] == [("Pending", "")]
    experiment["status"] = {"conditions": [{"type": "InvalidSpec", "status": "True", "message": "no templates"}]}
    assert str(experiment_view(experiment, (), (), (), now).status) == "Invalid - no templates"
    experiment["spec"]["duration"] = "soon"
    assert experiment_view(experiment, (), (), (), now).until is None


def test_lines_of_lists(failed: Json, experiment: Json, now: datetime) -> None:
    line = run_line(failed, now)
    assert (line.facts, line.age) == (("Failed", "✔ 1, ✖ 2, ⚠ 5", "Rollout web, revision 2, step 2"), "2m20s")
    assert experiment_line(experiment, now).facts == ("Running", "10m", "8m30s", "1/2")
    experiment["status"]["phase"] = "Successful"
    assert experiment_line(experiment, now).facts == ("Successful", "10m", "-", "1/2")


def test_terminate_is_asked_for_once(failed: Json, running: Json) -> None:
    answer = terminate(running)
    assert isinstance(answer, Change)
    assert [patch.body for patch in answer.patches] == [{"spec": {"terminate": True}}]
    assert terminate(failed) == Nothing("has ended already: it is Failed", is_refusal=False)
    running["spec"]["terminate"] = True
    assert terminate(running) == Nothing("is being terminated already", is_refusal=False)
