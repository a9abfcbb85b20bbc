from pathlib import Path
from typing import Any

import pytest
from typer import Typer
from typer.testing import CliRunner

from rollouts.cli.controller import controller
from rollouts.controller import app
from rollouts.controller.options import Options, find_controller_namespace
from rollouts.registry import load_kit


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[Options | None, str, int]:
    """Run the command up to the point where a controller would start."""
    got: list[Options] = []

    def remember(options: Options) -> int:
        got.append(options)
        return 3

    monkeypatch.setattr(app, "main", remember)
    command = Typer()
    command.command()(controller)
    result = CliRunner().invoke(command, list(arguments))
    return (got[0] if got else None), result.output, result.exit_code


def test_without_flags_it_looks_after_the_whole_cluster_and_elects_a_leader(monkeypatch: pytest.MonkeyPatch) -> None:
    options, _, code = run(monkeypatch)
    assert code == 3
    assert options is not None
    assert (options.namespace, options.instance_id, options.leader_elect) == (None, "", True)
    assert (options.health_port, options.metrics_port, options.resync, options.status_delay) == (8080, 8090, 900, 5)
    assert (options.lease_duration, options.renew_deadline, options.retry_period) == (15, 10, 2)
    assert options.lease_name == "argo-rollouts-controller-lock"
    assert options.identity != Options().identity


def test_flags_are_taken_as_installations_write_them(monkeypatch: pytest.MonkeyPatch) -> None:
    flags = (
        "--namespace=shop --instance-id=blue --loglevel=debug --logformat=json --metricsPort=1 --healthzPort=2 "
        "--no-leader-elect --leader-election-lease-duration=30s --leader-election-renew-deadline=20s "
        "--leader-election-retry-period=500ms --rollout-resync=60 --workers=5 --status-delay=1m --kubeconfig=k "
        "--disable-step-plugin=a --disable-step-plugin=b --context=c --bind-address=127.0.0.1"
    )
    options, _, _ = run(monkeypatch, *flags.split())
    assert options is not None
    expected: dict[str, Any] = {
        "namespace": "shop",
        "instance_id": "blue",
        "metrics_port": 1,
        "health_port": 2,
        "leader_elect": False,
        "lease_duration": 30,
        "renew_deadline": 20,
        "retry_period": 0.5,
        "resync": 60,
        "workers": 5,
        "status_delay": 60,
        "disabled_steps": frozenset("ab"),
        "kubeconfig": "k",
        "context": "c",
        "address": "127.0.0.1",
    }
    assert {name: getattr(options, name) for name in expected} == expected
    assert options.lease_name == "argo-rollouts-controller-lock-blue"


def test_flags_without_meaning_are_accepted_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    options, output, _ = run(monkeypatch, "--qps=40", "--rollout-threads", "10", "--metricsport=7")
    assert options is not None
    assert options.metrics_port == 7
    said = output + capsys.readouterr().err
    assert said.count("flag without effect") == 2
    assert "use --workers" in said


@pytest.mark.parametrize(
    ("flag", "complaint"),
    [
        ("--loglevel=loud", "loglevel"),
        ("--status-delay=soon", "duration"),
        ("--metricsPort=70000", "65535"),
        ("--workers=0", "workers"),
        ("--nonsense", "nonsense"),
    ],
)
def test_flags_that_can_t_be_meant_are_refused(monkeypatch: pytest.MonkeyPatch, flag: str, complaint: str) -> None:
    options, output, code = run(monkeypatch, flag)
    assert options is None
    assert code == 2
    assert complaint in output


def test_namespaced_means_our_own_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POD_NAMESPACE", "home")
    options, _, _ = run(monkeypatch, "--namespaced")
    assert options is not None
    assert (options.namespace, options.controller_namespace) == ("home", "home")


def test_the_own_namespace_comes_from_the_environment_else_from_the_service_account(tmp_path: Path) -> None:
    file = tmp_path / "namespace"
    assert find_controller_namespace({}, file) is None
    file.write_text("from-file\n")
    assert find_controller_namespace({}, file) == "from-file"
    assert find_controller_namespace({"POD_NAMESPACE": "from-pod"}, file) == "from-pod"


def test_flags_of_routers_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, _, _ = run(monkeypatch)
    asking, _, _ = run(monkeypatch, "--aws-verify-target-group", "--alb-tag-key-resource-id", "team/service")
    assert plain is not None
    assert asking is not None
    assert plain.settings == {}
    assert asking.settings == {"AWS_VERIFY_TARGET_GROUP": "True", "ALB_TAG_KEY_RESOURCE_ID": "team/service"}
    kit = load_kit()
    assert kit.unasked_with(plain.settings) == {"alb"}
    assert kit.unasked_with(asking.settings) == set()
