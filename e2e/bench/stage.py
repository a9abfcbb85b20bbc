"""On which stage is a controller measured? A control plane, its own ServiceAccount, the audit log and the kernel."""

import asyncio
import collections
import os
import sys
import sysconfig
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import yaml

from e2e import arguments, ports
from e2e.exposition import samples_of
from e2e.figures import Figure
from e2e.plane import ControlPlane
from e2e.program import Program
from e2e.stream import follow

ROOT = Path(__file__).parents[2]
ROLLOUTS = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts"
SERVICES = "/api/v1/namespaces/default/services"
ANALYSIS_RUNS = "/apis/argoproj.io/v1alpha1/namespaces/default/analysisruns"
PATHS = {
    "Rollout": ROLLOUTS,
    "Service": SERVICES,
    "AnalysisRun": ANALYSIS_RUNS,
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
    "HTTPRoute": "/apis/gateway.networking.k8s.io/v1/namespaces/default/httproutes",
}
REPLICA_SETS = "/apis/apps/v1/namespaces/default/replicasets"
NAMESPACE, ACCOUNT = "rollouts", "rollouts-controller"
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}
TICKS = os.sysconf("SC_CLK_TCK")

ADMIN: dict[str, Any] = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "peer"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}],
}


@dataclass(frozen=True)
class Contender:
    """A controller to measure: ours, or another binary that serves the same API."""

    name: str
    binary: Path | None = None

    def command(self, kubeconfig: Path, health: int, metrics: int) -> list[str | Path]:
        """Return how it is started, with two ports."""
        listening = ["--healthzPort", str(health), "--metricsPort", str(metrics)]
        if self.binary is not None:
            flags = ["--leader-elect=false", "--qps=5000", "--burst=10000", "--loglevel=warn"]
            return [self.binary, "--kubeconfig", kubeconfig, *flags, *listening]
        line: list[str | Path] = [Path(sysconfig.get_path("scripts")) / "rollouts"]
        if profile := os.environ.get("PROFILE"):
            line = [
                sys.executable,
                "-m",
                "cProfile",
                "-o",
                f"{profile}-{time.monotonic_ns()}",
                "-m",
                "rollouts.cli.main",
            ]
        return [
            *line,
            "controller",
            "--kubeconfig",
            kubeconfig,
            "--bind-address",
            "127.0.0.1",
            "--loglevel",
            "warn",
            *listening,
        ]


OURS = Contender("rollouts")


def canary(*steps: dict[str, Any]) -> dict[str, Any]:
    """The strategy of a canary."""
    return {"canary": {"maxSurge": 1, "maxUnavailable": 0, "steps": list(steps)}}


def blue_green(name: str) -> dict[str, Any]:
    """The strategy of a blue-green rollout that switches by itself and lets the old pods go soon."""
    return {"blueGreen": {"activeService": name, "scaleDownDelaySeconds": 1}}


def service(name: str) -> dict[str, Any]:
    """The Service of a blue-green rollout."""
    spec = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def rollout(name: str, strategy: dict[str, Any], *, replicas: int = 4) -> dict[str, Any]:
    """A Rollout of the benchmark."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]},
            },
            "strategy": strategy,
        },
    }


def analysis_run(name: str, address: str) -> dict[str, Any]:
    """An AnalysisRun that asks a Prometheus for ever; the server learns its name by the query."""
    provider = {"prometheus": {"address": address, "query": "{{args.name}}"}}
    metric = {"name": "errors", "interval": "10s", "successCondition": "result[0] < 0.05", "provider": provider}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"args": [{"name": "name", "value": name}], "metrics": [metric]},
    }


def image(tag: str) -> dict[str, Any]:
    """The merge patch that brings in another image."""
    return {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": f"app:{tag}"}]}}}}


@dataclass
class Process:
    """What the kernel says of the controller's process."""

    pid: int

    @property
    def cpu(self) -> float:
        """CPU seconds, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def megabytes(self) -> float:
        """Resident memory."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


@dataclass
class Bench:
    """A control plane, a controller with its own ServiceAccount, and what has been measured so far."""

    contender: Contender
    plane: ControlPlane
    api: aiohttp.ClientSession
    figures: list[Figure] = field(default_factory=list)
    metrics_port: int = 0

    @property
    def controller_log(self) -> Path:
        """What the controllers say."""
        return self.plane.directory / "controller.log"

    def note(self, what: str, value: float, unit: str = "") -> None:
        """Keep a figure, and show it."""
        figure = Figure(what, value, unit)
        self.figures.append(figure)
        print(f"  {what:<34} {figure}", flush=True)

    async def install(self) -> None:
        """Create the controller's namespace, ServiceAccount and roles from manifests/."""
        files = ("base/service-account", "base/leader-election-role", "cluster-install/cluster-role")
        documents: list[dict[str, Any]] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}]
        for name in files:
            documents += yaml.safe_load_all((ROOT / "manifests" / f"{name}.yaml").read_text())
        if self.contender.binary is not None:
            documents.append(ADMIN)
        for document in documents:
            await self._create(document)

    async def _create(self, document: dict[str, Any]) -> None:
        kind = document["kind"]
        group = "/api/v1" if document["apiVersion"] == "v1" else f"/apis/{document['apiVersion']}"
        everywhere = kind.startswith("Cluster") or kind == "Namespace"
        path = f"{group}/{kind.lower()}s" if everywhere else f"{group}/namespaces/{NAMESPACE}/{kind.lower()}s"
        async with self.api.post(path, json=document) as answer:
            answer.raise_for_status()

    async def controller(self) -> Program:
        """Start the controller as its ServiceAccount."""
        kubeconfig = await self.plane.kubeconfig_of(NAMESPACE, ACCOUNT)
        health, self.metrics_port = ports.free(2)
        program = Program(
            "controller",
            self.contender.command(kubeconfig, health, self.metrics_port),
            self.controller_log,
            {**arguments.environment(), "POD_NAMESPACE": NAMESPACE},
        )
        program.start()
        return program

    async def create(self, objects: Iterable[dict[str, Any]]) -> None:
        """Create objects, a few at a time."""
        gate = asyncio.Semaphore(16)

        async def one(body: dict[str, Any]) -> None:
            path = PATHS[body["kind"]]
            async with gate, self.api.post(path, json=body) as answer:
                answer.raise_for_status()

        await asyncio.gather(*(one(body) for body in objects))

    async def patch(self, name: str, body: dict[str, Any], subresource: str = "") -> None:
        """Merge-patch a Rollout as a user would."""
        async with self.api.patch(f"{ROLLOUTS}/{name}{subresource}", json=body, headers=MERGE_PATCH) as answer:
            answer.raise_for_status()

    async def all_healthy(self, prefix: str, count: int, tag: str, within: float) -> None:
        """Wait until that many Rollouts run `tag` and are Healthy."""
        await self._all(prefix, count, lambda raw: _is_healthy(raw, tag), within)

    async def all_have(self, prefix: str, count: int, pods: int, within: float) -> None:
        """Wait until that many Rollouts have so many pods that are available."""
        await self._all(prefix, count, lambda raw: (raw.get("status") or {}).get("availableReplicas") == pods, within)

    async def _all(self, prefix: str, count: int, check: Callable[[dict[str, Any]], bool], within: float) -> None:
        async with asyncio.timeout(within):
            waiting = set[str]()
            done = set[str]()
            async for change in follow(self.api, ROLLOUTS):
                for each in change.objects:
                    name = each["metadata"]["name"]
                    if name.startswith(prefix):
                        (done if check(each) else waiting).add(name)
                        (waiting if check(each) else done).discard(name)
                if len(done) == count and not waiting:
                    return

    async def passes(self) -> float:
        """Count the passes so far, as the controller's own metric tells them."""
        return sum(value for _, value in await self.samples("rollout_reconcile_count"))

    async def samples(self, metric: str) -> list[tuple[dict[str, str], float]]:
        """Read the samples of a metric from the controller: labels and value."""
        return await samples_of(f"http://127.0.0.1:{self.metrics_port}/metrics", metric)

    def writes(self, since: int) -> tuple[collections.Counter[str], int]:
        """Count the controller's writes in the audit log from a byte on; return them with the log's end."""
        if self.plane.audit_log is None:
            raise AssertionError("the control plane keeps no audit log")
        counts: collections.Counter[str] = collections.Counter()
        with self.plane.audit_log.open("rb") as log:
            log.seek(since)
            for event in filter(_is_ours, map(orjson.loads, log)):
                reference = event["objectRef"]
                what = "/".join(filter(None, (reference["resource"], reference.get("subresource"))))
                counts[what if event["responseStatus"]["code"] < 300 else f"{what} refused"] += 1
            return counts, log.tell()

    def write_times(self, since: int, resource: str, began: datetime, ended: datetime) -> list[float]:
        """Return the seconds that the API server took for each of the controller's writes to a resource in a time.

        The log is written in batches: what came before `began` may stand behind the byte `since`.
        """
        if self.plane.audit_log is None:
            raise AssertionError("the control plane keeps no audit log")
        with self.plane.audit_log.open("rb") as log:
            log.seek(since)
            events = list(filter(_is_ours, map(orjson.loads, log)))
        return [
            (_instant(event["stageTimestamp"]) - _instant(event["requestReceivedTimestamp"])).total_seconds()
            for event in events
            if event["objectRef"]["resource"] == resource
            and began <= _instant(event["requestReceivedTimestamp"]) < ended
        ]


def _is_ours(event: dict[str, Any]) -> bool:
    user: str = event["user"]["username"]
    return user == f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is_healthy(raw: dict[str, Any], tag: str) -> bool:
    status = raw.get("status") or {}
    is_observed = status.get("observedGeneration") == str(raw["metadata"]["generation"])
    runs = raw["spec"]["template"]["spec"]["containers"][0]["image"] == f"app:{tag}"
    return is_observed and runs and status.get("phase") == "Healthy"
