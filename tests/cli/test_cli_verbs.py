"""Each verb: the exact patch on the wire, what it says, and its exit code."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.fake_api import FakeApi, Seen, failure

Json = dict[str, Any]
Run = Callable[..., Any]

MERGE = "application/merge-patch+json"


@pytest.mark.parametrize(
    ("words", "path", "body", "said"),
    [
        (["promote", "web"], "rollouts/web/status", {"status": {"pauseConditions": None}}, "promoted"),
        (["promote", "web", "--full"], "rollouts/web/status", {"status": {"promoteFull": True}}, "fully promoted"),
        (["abort", "web"], "rollouts/web/status", {"status": {"abort": True}}, "aborted"),
        (["pause", "web"], "rollouts/web", {"spec": {"paused": True}}, "paused"),
        (["pause", "rollout/web"], "rollouts/web", {"spec": {"paused": True}}, "paused"),
        (
            ["promote", "web", "-c"],
            "rollouts/web/status",
            {"status": {"pauseConditions": None, "currentStepIndex": 2}},
            "promoted: it goes on behind step 2 of 4",
        ),
        (
            ["promote", "web", "-a"],
            "rollouts/web/status",
            {"status": {"pauseConditions": None, "currentStepIndex": 4}},
            "promoted: it goes on behind step 4 of 4",
        ),
    ],
)
def test_a_verb_sends_its_patch(run: Run, api: FakeApi, words: list[str], path: str, body: Json, said: str) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (0, f"rollout 'web' {said}\n")
    assert api.patches == [(path, body)]
    assert api.writes[0].content_type == MERGE


@pytest.mark.parametrize("words", [["retry", "web"], ["retry", "rollout", "web"], ["retry", "ro", "web"]])
def test_retry_with_and_without_the_kind(run: Run, api: FakeApi, rollout: Json, words: list[str]) -> None:
    rollout["status"]["abort"] = True
    result = run(*words)
    assert (result.exit_code, result.stdout) == (0, "rollout 'web' retried\n")
    assert api.patches == [("rollouts/web/status", {"status": {"abort": False}})]


def test_retry_takes_one_rollout(run: Run, api: FakeApi) -> None:
    assert run("retry", "analysisrun", "web").exit_code == 2
    assert run("retry", "rollout", "web", "shop").exit_code == 2
    assert api.writes == []


def test_a_paused_spec_is_promoted_with_two_patches(run: Run, api: FakeApi, rollout: Json) -> None:
    rollout["spec"]["paused"] = True
    assert run("promote", "web").exit_code == 0
    assert api.patches == [
        ("rollouts/web", {"spec": {"paused": False}}),
        ("rollouts/web/status", {"status": {"pauseConditions": None}}),
    ]


def test_without_a_status_subresource_the_main_resource_is_patched(run: Run, api: FakeApi) -> None:
    api.fail = lambda seen: (
        failure(404, "NotFound", "the server could not find the requested resource")
        if seen.path.endswith("/status")
        else None
    )
    assert run("abort", "web").exit_code == 0
    assert api.patches == [
        ("rollouts/web/status", {"status": {"abort": True}}),
        ("rollouts/web", {"status": {"abort": True}}),
    ]


def test_show_patch_prints_what_kubectl_would_send(run: Run, api: FakeApi) -> None:
    lines = run("abort", "web", "--show-patch").stdout.splitlines()
    assert lines == [
        'kubectl patch rollout web -n default --subresource=status --type=merge -p \'{"status":{"abort":true}}\'',
        "rollout 'web' aborted",
    ]
    assert len(api.patches) == 1


def test_nonsense_is_refused(run: Run, api: FakeApi, rollout: Json) -> None:
    assert run("retry", "web").exit_code == 1
    rollout["status"].update(stableRS="new", currentStepIndex=4, pauseConditions=None)
    result = run("abort", "web")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: rollout 'web' has no update in progress: there is nothing to abort")
    assert run("promote", "web", "--full", "-a").exit_code == 2
    assert api.writes == []


def test_what_is_so_already_is_no_error(run: Run, api: FakeApi, rollout: Json) -> None:
    rollout["status"].update(stableRS="new", currentStepIndex=4, pauseConditions=None)
    result = run("promote", "web")
    assert (result.exit_code, result.stdout) == (
        0,
        "rollout 'web' is fully promoted already: there is nothing to promote\n",
    )
    rollout["spec"]["paused"] = True
    assert run("pause", "web").exit_code == 0
    assert api.writes == []


def test_restart_now_or_later(run: Run, api: FakeApi) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    assert run("restart", "web").stdout == "rollout 'web' restarted\n"
    assert run("restart", "web", "--in", "10m").exit_code == 0
    times = [datetime.fromisoformat(body["spec"]["restartAt"]) for _, body in api.patches]
    assert timedelta() <= times[0] - before < timedelta(minutes=1)
    assert timedelta(minutes=10) <= times[1] - before < timedelta(minutes=11)
    assert run("restart", "web", "--in", "10 minutes").exit_code == 2
    assert run("restart", "web", "--in", "-5m").exit_code == 2


def test_undo_replaces_the_template(run: Run, api: FakeApi) -> None:
    result = run("undo", "web")
    assert (result.exit_code, result.stdout) == (0, "rollout 'web' goes back to revision 1\n")
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    assert api.patches == [("rollouts/web", [{"op": "replace", "path": "/spec/template", "value": template}])]
    assert api.writes[0].content_type == "application/json-patch+json"


def test_undo_of_what_is_there_already_writes_nothing(run: Run, api: FakeApi) -> None:
    result = run("undo", "web", "--to-revision", "2")
    assert (result.exit_code, result.stdout) == (0, "rollout 'web' has the pod template of revision 2 already\n")
    assert run("undo", "web", "--to-revision=9").exit_code == 1
    assert api.writes == []


def test_undo_changes_the_workload_that_is_referred_to(run: Run, api: FakeApi, rollout: Json) -> None:
    template = rollout["spec"].pop("template")
    rollout["spec"]["workloadRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-deploy"}
    api.put("deployments", {"metadata": {"name": "web-deploy"}, "spec": {"template": template}})
    assert run("undo", "web").exit_code == 0
    assert [path for path, _ in api.patches] == ["deployments/web-deploy"]


def test_set_image_replaces_the_object(run: Run, api: FakeApi, rollout: Json) -> None:
    result = run("set", "image", "web", "web=web:3")
    assert (result.exit_code, result.stdout) == (0, "rollout 'web' image updated (web)\n")
    (write,) = api.writes
    assert (write.method, write.path.rsplit("/", 1)[1]) == ("PUT", "web")
    assert write.body["spec"]["template"]["spec"]["containers"] == [{"name": "web", "image": "web:3"}]
    assert write.body["metadata"]["uid"] == rollout["metadata"]["uid"]


def test_set_image_of_all_containers(run: Run, api: FakeApi) -> None:
    assert run("set", "image", "web", "*=web:4").exit_code == 0
    assert run("set", "image", "web", "*=web:4").stdout == "rollout 'web' has these images already\n"
    assert len(api.writes) == 1


def test_set_image_names_the_containers_there_are(run: Run, api: FakeApi) -> None:
    result = run("set", "image", "web", "wbe=web:3")
    assert (result.exit_code, result.stderr) == (1, "error: rollout 'web' has no container wbe; it has: web\n")
    assert run("set", "image", "web", "web:3").exit_code == 2
    assert api.writes == []


@pytest.mark.parametrize(("conflicts", "code", "attempts"), [(4, 0, 5), (9, 1, 5)])
def test_set_image_tries_again_on_conflicts(run: Run, api: FakeApi, conflicts: int, code: int, attempts: int) -> None:
    left = iter(range(conflicts))

    def fail(seen: Seen) -> Any:
        is_refused = seen.method == "PUT" and next(left, None) is not None
        return failure(409, "Conflict", "the object has been modified") if is_refused else None

    api.fail = fail
    result = run("set", "image", "web", "web=web:3")
    assert result.exit_code == code
    assert len(api.writes) == attempts
    if code:
        assert "somebody else changed it" in result.stderr


def test_set_image_writes_the_workload_that_is_referred_to(run: Run, api: FakeApi, rollout: Json) -> None:
    template = rollout["spec"].pop("template")
    rollout["spec"]["workloadRef"] = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web-deploy"}
    api.put("deployments", {"metadata": {"name": "web-deploy"}, "spec": {"template": template}})
    assert run("set", "image", "web", "web=web:3").exit_code == 0
    assert [each.path.rsplit("/", 2)[1:] for each in api.writes] == [["deployments", "web-deploy"]]
    rollout["spec"]["workloadRef"]["kind"] = "DaemonSet"
    assert "'DaemonSet' is no workload" in run("set", "image", "web", "web=web:3").stderr
