"""The real kubectl, used as people use it."""

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.devcluster.running import DEADLINE, kubectl_path

if TYPE_CHECKING:
    from tests.devcluster.running import Running

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - {name: web, image: "nginx:1", env: [{name: A, value: "1"}]}
"""
WIDGET = """
apiVersion: example.com/v1
kind: Widget
metadata: {name: one}
spec: {colour: red, replicas: 2}
"""


def config_map(running: "Running", namespace: str, name: str) -> None:
    manifest = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\n"
    running.kubectl("create", "-n", namespace, "-f", "-", stdin=manifest)


def test_protobuf_is_refused_with_a_way_out(running: "Running", namespace: str) -> None:
    refused = running.kubectl("create", "configmap", "a", "-n", namespace, fails=True)
    assert "add --dry-run=client -o yaml and pipe it to `kubectl apply -f -`" in refused


def test_apply_and_apply_again(running: "Running", namespace: str) -> None:
    for manifest, name in ((DEPLOYMENT, "deployment.apps/web"), (WIDGET, "widget.example.com/one")):
        apply = ("apply", "-n", namespace, "-f", "-")
        assert running.kubectl(*apply, stdin=manifest) == f"{name} created"
        assert running.kubectl(*apply, stdin=manifest) == f"{name} unchanged"
    changed = DEPLOYMENT.replace('env: [{name: A, value: "1"}]', 'env: [{name: B, value: "2"}]')
    assert running.kubectl("apply", "-n", namespace, "-f", "-", stdin=changed) == "deployment.apps/web configured"
    path = "{.spec.template.spec.containers[0].env[*].name}"
    assert running.kubectl("get", "deploy", "web", "-n", namespace, "-o", f"jsonpath={path}") == "B"


def test_apply_validates(running: "Running", namespace: str) -> None:
    apply = ("apply", "-n", namespace, "-f", "-")
    unknown = running.kubectl(*apply, stdin=WIDGET.replace("colour", "colr"), fails=True)
    assert 'strict decoding error: unknown field "spec.colr"' in unknown
    invalid = running.kubectl(*apply, stdin=WIDGET.replace("red", "green"), fails=True)
    assert 'The Widget "one" is invalid: spec.colour: Unsupported value: "green"' in invalid
    wrong = running.kubectl(*apply, stdin=DEPLOYMENT.replace("replicas: 2", "replicas: -2"), fails=True)
    assert "spec.replicas: Invalid value: -2: must be greater than or equal to 0" in wrong


def test_apply_server_side(running: "Running", namespace: str) -> None:
    apply = ("apply", "-n", namespace, "--server-side", "-f", "-")
    assert running.kubectl(*apply, stdin=WIDGET) == "widget.example.com/one serverside-applied"
    other = running.kubectl(*apply, "--field-manager=other", stdin=WIDGET.replace("red", "blue"), fails=True)
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .spec.colour' in other
    running.kubectl(*apply, "--field-manager=other", "--force-conflicts", stdin=WIDGET.replace("red", "blue"))


def test_get(running: "Running", namespace: str) -> None:
    running.kubectl("apply", "-n", namespace, "-f", "-", stdin=WIDGET)
    table = running.kubectl("get", "wd", "-n", namespace).splitlines()
    assert [line.split()[:2] for line in table] == [["NAME", "SIZE"], ["one", "2"]]
    assert "COLOUR" in running.kubectl("get", "widgets", "-n", namespace, "-o", "wide")
    assert "widget.example.com/one" in running.kubectl("get", "all", "-n", namespace)
    assert running.kubectl("get", "wd", "-n", namespace, "-o", "name") == "widget.example.com/one"
    shown = json.loads(running.kubectl("get", "wd", "one", "-n", namespace, "-o", "json"))
    assert (shown["apiVersion"], shown["spec"]["colour"]) == ("example.com/v1", "red")
    assert "colour: red" in running.kubectl("get", "wd", "one", "-n", namespace, "-o", "yaml")


def test_get_selects(running: "Running", namespace: str) -> None:
    config_map(running, namespace, "a")
    config_map(running, namespace, "b")
    assert running.kubectl("label", "configmap", "a", "tier=x", "-n", namespace) == "configmap/a labeled"
    get = ("get", "configmaps", "-n", namespace, "-o", "name")
    assert running.kubectl(*get, "-l", "tier in (x,y)") == "configmap/a"
    assert running.kubectl(*get, "-l", "!tier") == "configmap/b"
    assert running.kubectl(*get, "--field-selector", "metadata.name=b") == "configmap/b"


def test_get_watches(running: "Running", namespace: str) -> None:
    watching = subprocess.Popen(  # noqa: S603
        [kubectl_path(), "get", "configmaps", "-n", namespace, "-w", "--output-watch-events"],
        stdout=subprocess.PIPE,
        text=True,
        env=running.environment(),
    )
    try:
        assert watching.stdout is not None
        config_map(running, namespace, "a")
        assert watching.stdout.readline().split() == ["EVENT", "NAME", "DATA", "AGE"]
        assert watching.stdout.readline().split()[:2] == ["ADDED", "a"]
        running.kubectl("delete", "configmap", "a", "-n", namespace)
        assert watching.stdout.readline().split()[:2] == ["DELETED", "a"]
    finally:
        watching.terminate()
        watching.communicate(timeout=DEADLINE)


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", '{"spec":{"replicas":3}}'),
        ("json", '[{"op":"replace","path":"/spec/replicas","value":3}]'),
    ],
)
def test_patch_a_custom_resource(running: "Running", namespace: str, kind: str, patch: str) -> None:
    running.kubectl("apply", "-n", namespace, "-f", "-", stdin=WIDGET)
    assert running.kubectl("patch", "wd", "one", "-n", namespace, "--type", kind, "-p", patch).endswith(" patched")
    again = running.kubectl("patch", "wd", "one", "-n", namespace, "--type", kind, "-p", patch)
    assert again.endswith(" patched (no change)")
    assert running.kubectl("get", "wd", "one", "-n", namespace, "-o", "jsonpath={.spec.replicas}") == "3"


def test_patch_strategically_and_the_status(running: "Running", namespace: str) -> None:
    running.kubectl("apply", "-n", namespace, "-f", "-", stdin=DEPLOYMENT + "---" + WIDGET)
    patch = '{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"nginx:2"}]}}}}'
    running.kubectl("patch", "deploy", "web", "-n", namespace, "-p", patch)
    path = "{.spec.template.spec.containers[0]['image','env']}"
    assert "nginx:2" in running.kubectl("get", "deploy", "web", "-n", namespace, "-o", f"jsonpath={path}")
    status = ("--subresource=status", "--type=merge", "-p", '{"status":{"phase":"Ready"}}')
    running.kubectl("patch", "wd", "one", "-n", namespace, *status)
    condition = "--for=jsonpath={.status.phase}=Ready"
    assert running.kubectl("wait", "wd/one", "-n", namespace, condition, "--timeout=60s").endswith("condition met")


def test_rollout_scale_wait_set_image_undo(running: "Running", namespace: str) -> None:
    running.kubectl("apply", "-n", namespace, "-f", "-", stdin=DEPLOYMENT)
    running.kubectl("wait", "deploy/web", "-n", namespace, "--for=condition=Available", "--timeout=60s")
    assert running.kubectl("scale", "deploy/web", "-n", namespace, "--replicas=3") == "deployment.apps/web scaled"
    running.kubectl("set", "image", "deploy/web", "web=nginx:2", "-n", namespace)
    running.kubectl("rollout", "status", "deploy/web", "-n", namespace, "--timeout=60s")
    running.http.until(  # pods that are ending aren't counted by a Deployment's status, but listed
        f"/api/v1/namespaces/{namespace}/pods",
        lambda listed: {pod["spec"]["containers"][0]["image"] for pod in listed["items"]} == {"nginx:2"},
    )
    running.kubectl("rollout", "undo", "deploy/web", "-n", namespace)
    running.kubectl("rollout", "status", "deploy/web", "-n", namespace, "--timeout=60s")


def test_scale_a_custom_resource(running: "Running", namespace: str) -> None:
    running.kubectl("apply", "-n", namespace, "-f", "-", stdin=WIDGET)
    running.kubectl("scale", "wd/one", "-n", namespace, "--replicas=7")
    assert running.kubectl("get", "wd", "one", "-n", namespace, "-o", "jsonpath={.spec.replicas}") == "7"


def test_explain_describes_definitions_and_built_in_kinds(running: "Running") -> None:
    explained = running.kubectl("explain", "widget.spec")
    assert "What is wanted." in explained
    assert "How many." in explained
    assert "progressDeadlineSeconds" in running.kubectl("explain", "deployment.spec")


def test_diff(running: "Running", namespace: str) -> None:
    running.kubectl("apply", "-n", namespace, "-f", "-", stdin=WIDGET)
    assert running.kubectl("diff", "-n", namespace, "-f", "-", stdin=WIDGET) == ""
    ran = subprocess.run(  # noqa: S603
        [kubectl_path(), "diff", "-n", namespace, "-f", "-"],
        input=WIDGET.replace("red", "blue"),
        capture_output=True,
        text=True,
        check=False,
        env=running.environment(),
    )
    assert ran.returncode == 1
    assert "-  colour: red" in ran.stdout
    assert "+  colour: blue" in ran.stdout


def test_annotate_and_delete(running: "Running", namespace: str) -> None:
    running.kubectl("apply", "-n", namespace, "-f", "-", stdin=DEPLOYMENT)
    running.kubectl("wait", "deploy/web", "-n", namespace, "--for=condition=Available", "--timeout=60s")
    running.kubectl("annotate", "deploy", "web", "note=x", "-n", namespace)
    running.kubectl("delete", "deploy", "web", "-n", namespace, "--cascade=orphan")
    sets = running.kubectl("get", "rs", "-n", namespace, "-o", "jsonpath={.items[*].metadata.ownerReferences}")
    assert sets == ""
    running.kubectl("delete", "rs", "--all", "-n", namespace, "--cascade=foreground")
    assert running.kubectl("get", "pods", "-n", namespace, "-o", "name") == ""
    assert "deleted" in running.kubectl("delete", "namespace", namespace)


def test_logs_and_exec_say_that_nothing_runs(running: "Running", namespace: str) -> None:
    running.kubectl("run", "one", "--image=nginx:1", "-n", namespace)
    running.kubectl("wait", "pod/one", "-n", namespace, "--for=condition=Ready", "--timeout=60s")
    logs = running.kubectl("logs", "one", "-n", namespace, fails=True)
    assert "pod one has no logs: the dev cluster's pods act out their containers and run no programs" in logs
    assert "does not serve the subresource exec" in running.kubectl(
        "exec", "one", "-n", namespace, "--", "ls", fails=True
    )
