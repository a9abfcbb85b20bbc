"""Objects are read as the wire has them. What has another shape is refused, or in a status dropped and named."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from rollouts.api.analysis import parse_analysis_template, parse_cluster_analysis_template
from rollouts.api.analysis_run import parse_analysis_run, parse_analysis_run_status
from rollouts.api.canary import CanaryStep
from rollouts.api.experiment import parse_experiment, parse_experiment_status
from rollouts.api.rollout import RolloutSpec, parse_rollout
from rollouts.api.status import RolloutStatus, parse_status

NOON = "2024-02-29T12:00:00Z"
TEMPLATE = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "nextYears": {"field": 1}}]},
}


def rollout(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}, "spec": spec}


def test_a_rollout_is_read_by_the_names_on_the_wire() -> None:
    steps = [{"setWeight": 20}, {"pause": {}}, {"pause": {"duration": "10m"}}, {"pause": {"duration": 30}}]
    read = parse_rollout(
        rollout(
            replicas=5,
            restartAt="2024-02-29T14:00:00+02:00",
            template=TEMPLATE,
            strategy={"canary": {"maxSurge": "25%", "maxUnavailable": 0, "steps": steps}},
        )
    )
    canary = read.spec.strategy.canary if read.spec.strategy else None
    assert canary is not None
    assert read.metadata == {"name": "web"}
    assert read.spec.replicas == 5
    assert read.spec.restart_at == datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert (canary.max_surge, canary.max_unavailable) == ("25%", 0)
    assert [step.set_weight for step in canary.steps] == [20, None, None, None]
    assert [step.pause.duration if step.pause else "no pause" for step in canary.steps] == ["no pause", None, "10m", 30]


def test_a_pod_template_is_carried_untouched() -> None:
    assert parse_rollout(rollout(template=TEMPLATE)).spec.template == TEMPLATE


def test_a_step_tells_its_actions_by_their_names_on_the_wire() -> None:
    step = CanaryStep.model_validate({"setCanaryScale": {"weight": 5}, "setWeight": 0, "unheardOf": {}})
    assert [key for key, _ in step.actions] == ["setWeight", "setCanaryScale"]
    assert CanaryStep().actions == ()


def test_what_is_left_out_is_none_and_has_a_default_by_name() -> None:
    spec = RolloutSpec()
    assert (spec.replicas, spec.revision_history_limit) == (None, None)
    assert spec.replicas_or_default == 1
    assert spec.min_ready_seconds_or_default == 0
    assert spec.revision_history_limit_or_default == 10
    assert spec.progress_deadline_seconds_or_default == 600
    canary = parse_rollout(rollout(strategy={"canary": {}})).spec.strategy.canary  # type: ignore[union-attr]
    assert canary is not None
    assert (canary.max_surge_or_default, canary.max_unavailable_or_default) == ("25", "25")


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"replicas": "3"}, ("spec", "replicas")),
        ({"replicas": 1.5}, ("spec", "replicas")),
        ({"replicas": True}, ("spec", "replicas")),
        ({"paused": "yes"}, ("spec", "paused")),
        ({"restartAt": "tomorrow"}, ("spec", "restartAt")),
        ({"restartAt": 5}, ("spec", "restartAt")),
        ({"template": []}, ("spec", "template")),
        ({"strategy": {"canary": {"steps": {}}}}, ("spec", "strategy", "canary", "steps")),
        (
            {"strategy": {"canary": {"steps": [{"setWeight": "20"}]}}},
            ("spec", "strategy", "canary", "steps", 0, "setWeight"),
        ),
        ({"strategy": {"blueGreen": {}}}, ("spec", "strategy", "blueGreen", "activeService")),
    ],
)
def test_a_spec_of_another_shape_is_refused_by_path(spec: dict[str, Any], path: tuple[str | int, ...]) -> None:
    with pytest.raises(ValidationError) as refusal:
        parse_rollout(rollout(**spec))
    assert refusal.value.errors()[0]["loc"] == path


def test_names_of_our_own_are_no_names_on_the_wire() -> None:
    assert parse_rollout(rollout(min_ready_seconds=5)).spec.min_ready_seconds is None


def test_a_status_is_read_with_its_odd_names() -> None:
    status, dropped = parse_status(
        {
            "HPAReplicas": 3,
            "stableRS": "abc",
            "observedGeneration": "7",
            "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": NOON}],
            "canary": {"weights": {"canary": {"weight": 20}, "stable": {"weight": 80}}},
        }
    )
    assert dropped == []
    assert (status.hpa_replicas, status.stable_rs, status.observed_generation) == (3, "abc", "7")
    assert status.pause_conditions[0].start_time == datetime(2024, 2, 29, 12, tzinfo=UTC)
    assert status.canary is not None
    assert status.canary.weights is not None
    assert status.canary.weights.canary.weight == 20


GOOD_PAUSE = {"reason": "CanaryPauseStep", "startTime": NOON}


@pytest.mark.parametrize(
    ("rubbish", "named"),
    [
        (None, []),
        ({}, []),
        ("rubbish", ["status: 'rubbish'"]),
        ([], ["status: []"]),
        ({"unheardOf": 1}, []),
        ({"pauseConditions": None, "canary": None, "abort": None}, []),
        ({"replicas": "three", "abort": "yes"}, ["status.abort: 'yes'", "status.replicas: 'three'"]),
        ({"canary": {"weights": 5}}, ["status.canary: {'weights': 5}"]),
        ({"abortedAt": "yesterday"}, ["status.abortedAt: 'yesterday'"]),
        ({"conditions": "none"}, ["status.conditions: 'none'"]),
        ({"conditions": ["none"], "pauseConditions": None}, ["status.conditions[0]: 'none'"]),
    ],
)
def test_rubbish_in_a_status_is_left_out_and_named(rubbish: Any, named: list[str]) -> None:
    assert parse_status(rubbish) == (RolloutStatus(), named)


def test_good_parts_stay_beside_rubbish() -> None:
    status, dropped = parse_status(
        {"phase": "Paused", "replicas": [], "pauseConditions": [{"reason": "x"}, GOOD_PAUSE, 5]},
    )
    assert status.phase == "Paused"
    assert [pause.reason for pause in status.pause_conditions] == ["CanaryPauseStep"]
    assert dropped == [
        "status.pauseConditions[0]: {'reason': 'x'}",
        "status.pauseConditions[2]: 5",
        "status.replicas: []",
    ]


def test_the_other_kinds_are_read_alike() -> None:
    metric = {"name": "ok", "count": "{{args.n}}", "provider": {"kayenta": None, "web": {"url": "http://x"}}}
    spec = {"metrics": [metric], "args": [{"name": "n", "value": "3"}]}
    for template in (parse_analysis_template({"spec": spec}), parse_cluster_analysis_template({"spec": spec})):
        assert template.spec.metrics[0].count == "{{args.n}}"
    run = parse_analysis_run({"spec": {**spec, "ttlStrategy": {"secondsAfterSuccess": 60}}})
    assert run.spec.ttl_strategy is not None
    assert run.spec.ttl_strategy.seconds_after_success == 60
    experiment = parse_experiment({"spec": {"templates": [{"name": "a", "selector": {}, "template": TEMPLATE}]}})
    assert experiment.spec.templates[0].template == TEMPLATE


def test_datadog_has_defaults_of_the_api() -> None:
    provider = {"datadog": {"query": "avg:x"}}
    read = parse_analysis_template({"spec": {"metrics": [{"name": "m", "provider": provider}]}})
    datadog = read.spec.metrics[0].provider.datadog
    assert datadog is not None
    assert (datadog.api_version, datadog.interval, datadog.request_timeout) == ("v1", "5m", "10s")


def test_their_statuses_are_read_leniently_too() -> None:
    run, dropped = parse_analysis_run_status({"phase": "Running", "metricResults": [{"name": "m"}], "startedAt": NOON})
    assert (run.phase, run.metric_results, run.started_at) == ("Running", (), datetime(2024, 2, 29, 12, tzinfo=UTC))
    assert dropped == ["status.metricResults[0]: {'name': 'm'}"]
    experiment, dropped = parse_experiment_status({"phase": 5})
    assert (experiment.phase, dropped) == (None, ["status.phase: 5"])


def test_models_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        RolloutSpec().replicas = 3  # type: ignore[misc]
