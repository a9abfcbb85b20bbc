"""How fast and how frugal is the controller on a real control plane?

`python -m e2e.bench` (`make bench`) prints the figures as a table and writes it to docs/reference/benchmark.md. Writes
are counted in the API server's audit log, CPU and memory by the kernel: the controller is not asked about itself.
"""

import argparse
import asyncio
import collections
import os
import statistics
import sys
import sysconfig
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import yaml

from e2e import arguments, build, ports
from e2e.figures import Figure, table
from e2e.plane import ControlPlane
from e2e.program import Program
from e2e.stream import follow
from e2e.waiting import eventually

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "docs" / "reference" / "benchmark.md"
ROLLOUTS = "/apis/argoproj.io/v1alpha1/namespaces/default/rollouts"
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

    def command(self, kubeconfig: Path) -> list[str | Path]:
        """Return how it is started."""
        if self.binary is not None:
            free = [str(port) for port in ports.free(2)]
            flags = ["--leader-elect=false", "--qps=5000", "--burst=10000", "--loglevel=warn"]
            return [self.binary, "--kubeconfig", kubeconfig, *flags, "--healthzPort", free[0], "--metricsPort", free[1]]
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
        quiet = ["--bind-address", "127.0.0.1", "--healthzPort", "0", "--metricsPort", "0", "--loglevel", "warn"]
        return [*line, "controller", "--kubeconfig", kubeconfig, *quiet]


OURS = Contender("rollouts")


def rollout(name: str, steps: list[dict[str, Any]], *, replicas: int = 4) -> dict[str, Any]:
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
            "strategy": {"canary": {"maxSurge": 1, "maxUnavailable": 0, "steps": steps}},
        },
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
        program = Program(
            "controller",
            self.contender.command(kubeconfig),
            self.controller_log,
            {**arguments.environment(), "POD_NAMESPACE": NAMESPACE},
        )
        program.start()
        return program

    async def create(self, rollouts: Iterable[dict[str, Any]]) -> None:
        """Create Rollouts, a few at a time."""
        gate = asyncio.Semaphore(16)

        async def one(body: dict[str, Any]) -> None:
            async with gate, self.api.post(ROLLOUTS, json=body) as answer:
                answer.raise_for_status()

        await asyncio.gather(*(one(body) for body in rollouts))

    async def patch(self, name: str, body: dict[str, Any], subresource: str = "") -> None:
        """Merge-patch a Rollout as a user would."""
        async with self.api.patch(f"{ROLLOUTS}/{name}{subresource}", json=body, headers=MERGE_PATCH) as answer:
            answer.raise_for_status()

    async def all_healthy(self, prefix: str, count: int, tag: str, within: float) -> None:
        """Wait until that many Rollouts run `tag` and are Healthy."""
        async with asyncio.timeout(within):
            waiting = set[str]()
            healthy = set[str]()
            async for change in follow(self.api, ROLLOUTS):
                for each in change.objects:
                    name = each["metadata"]["name"]
                    if name.startswith(prefix):
                        (healthy if _is_healthy(each, tag) else waiting).add(name)
                        (waiting if _is_healthy(each, tag) else healthy).discard(name)
                if len(healthy) == count and not waiting:
                    return

    def writes(self, since: int) -> tuple[collections.Counter[str], int]:
        """Count the controller's writes in the audit log from a byte on; return them with the log's end."""
        if self.plane.audit_log is None:
            raise AssertionError("the control plane keeps no audit log")
        counts: collections.Counter[str] = collections.Counter()
        with self.plane.audit_log.open("rb") as log:
            log.seek(since)
            for line in log:
                event = orjson.loads(line)
                reference = event["objectRef"]
                if event["user"]["username"] != f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}":
                    continue
                what = "/".join(filter(None, (reference["resource"], reference.get("subresource"))))
                counts[what if event["responseStatus"]["code"] < 300 else f"{what} refused"] += 1
            return counts, log.tell()


def _is_healthy(raw: dict[str, Any], tag: str) -> bool:
    status = raw.get("status") or {}
    is_observed = status.get("observedGeneration") == str(raw["metadata"]["generation"])
    runs = raw["spec"]["template"]["spec"]["containers"][0]["image"] == f"app:{tag}"
    return is_observed and runs and status.get("phase") == "Healthy"


async def all_at_once(bench: Bench, count: int) -> None:
    """Update many Rollouts of 4 pods through 25, 50 and 75 percent at the same moment."""
    print(f"\n{count} Rollouts of 4 pods through setWeight 25, 50, 75, all at once")
    steps = [{"setWeight": weight} for weight in (25, 50, 75)]
    program = await bench.controller()
    await bench.create(rollout(f"all-{number}", steps) for number in range(count))
    await bench.all_healthy("all-", count, "1", 60)
    await asyncio.sleep(2)  # what is still being written belongs to the first deploy
    process = Process(program.pid)
    cpu, (_, mark) = process.cpu, bench.writes(0)
    began = time.monotonic()
    await asyncio.gather(*(bench.patch(f"all-{number}", image("2")) for number in range(count)))
    await bench.all_healthy("all-", count, "2", 600)
    took = time.monotonic() - began
    await asyncio.sleep(6)  # a change of counts may still wait
    counts, _ = bench.writes(mark)
    events = counts.pop("events", 0)
    refused = {what: number for what, number in counts.items() if what.endswith("refused")}
    done = {what: number for what, number in counts.items() if what not in refused and what != "leases"}
    bench.note("writes per update", sum(done.values()) / count)
    for what, number in sorted(done.items()):
        bench.note(f"  on {what}", number / count)
    bench.note("refused writes per update", sum(refused.values()) / count)
    bench.note("events per update", events / count)
    bench.note("all updated", took, "s")
    bench.note("CPU for all", process.cpu - cpu, "s")
    bench.note("memory", process.megabytes, "MB")
    await program.stop()


async def one_by_one(bench: Bench, count: int) -> None:
    """Resume paused Rollouts one after the other, and watch how soon something happens."""
    print(f"\n{count} Rollouts through a pause, one at a time")
    steps: list[dict[str, Any]] = [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]
    program = await bench.controller()
    sizes, pauses = [], []
    for number in range(count):
        name = f"one-{number}"
        await bench.create([rollout(name, steps)])
        await bench.all_healthy(name, 1, "1", 60)
        await bench.patch(name, image("2"))
        await _paused_at(bench, name, 1)
        scaled = asyncio.create_task(_canary_has(bench, name, 2))
        paused = asyncio.create_task(_paused_at(bench, name, 3))
        await asyncio.sleep(0.3)  # both watches are open by now, and the cluster is quiet
        began = time.monotonic()
        await bench.patch(name, {"status": {"pauseConditions": None}}, "/status")
        sizes.append((await asyncio.wait_for(scaled, 30) - began) * 1000)
        pauses.append((await asyncio.wait_for(paused, 30) - began) * 1000)
    for what, values in (("resume → size", sizes), ("resume → next pause", pauses)):
        bench.note(f"{what} p50", statistics.median(values), "ms")
        bench.note(f"{what} p99", statistics.quantiles(values, n=100)[98], "ms")
    await program.stop()


async def _paused_at(bench: Bench, name: str, index: int) -> float:
    async for change in follow(bench.api, ROLLOUTS, fieldSelector=f"metadata.name={name}"):
        for each in change.objects:
            status = each.get("status") or {}
            if status.get("currentStepIndex") == index and status.get("pauseConditions"):
                return time.monotonic()
    raise AssertionError("a watch never ends")


async def _canary_has(bench: Bench, name: str, size: int) -> float:
    async for change in follow(bench.api, REPLICA_SETS, labelSelector=f"app={name}"):
        for each in change.objects:
            tag = each["spec"]["template"]["spec"]["containers"][0]["image"]
            if tag == "app:2" and each["spec"]["replicas"] == size:
                return time.monotonic()
    raise AssertionError("a watch never ends")


async def many_idle(bench: Bench, count: int) -> None:
    """Look after many Rollouts that nobody changes; then start anew and see when the first decision falls."""
    print(f"\n{count} idle Rollouts")
    program = await bench.controller()
    await bench.create(rollout(f"idle-{number}", [{"setWeight": 50}], replicas=1) for number in range(count))
    await bench.all_healthy("idle-", count, "1", 900)
    await program.stop()
    await bench.patch("idle-0", image("2"))
    decided = asyncio.create_task(_first_decision(bench, "idle-0"))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    program = await bench.controller()
    bench.note(f"start → first decision at {count}", await asyncio.wait_for(decided, 60) - began, "s")
    process = Process(program.pid)
    await _is_quiet(process)
    bench.note(f"memory at {count} idle", process.megabytes, "MB")
    cpu = process.cpu
    await asyncio.sleep(30)
    bench.note(f"CPU at {count} idle", (process.cpu - cpu) / 30 * 100, "% of a core")
    await program.stop()


async def _first_decision(bench: Bench, name: str) -> float:
    async for change in follow(bench.api, REPLICA_SETS, labelSelector=f"app={name}"):
        for each in change.objects:
            if each["spec"]["template"]["spec"]["containers"][0]["image"] == "app:2":
                return time.monotonic()
    raise AssertionError("a watch never ends")


async def _is_quiet(process: Process) -> None:
    """Wait until a second passes with hardly any work."""

    async def check() -> bool:
        before = process.cpu
        await asyncio.sleep(1)
        return process.cpu - before < 0.05

    await eventually(check, within=120, what="the controller is quiet")


async def measure(contender: Contender, at_once: int, resumed: int, idle: int) -> list[Figure]:
    """Run everything for one controller, on a control plane of its own."""
    print(f"\n== {contender.name}")
    crds = sorted((ROOT / "manifests" / "crds").glob("*.yaml"))
    async with ControlPlane(crds=crds, audit=True) as plane, plane.admin.session() as api:
        bench = Bench(contender, plane, api)
        await bench.install()
        try:
            await all_at_once(bench, at_once)
            await one_by_one(bench, resumed)
            if idle:
                await many_idle(bench, idle)
        except BaseException:
            print(bench.controller_log.read_text()[-20_000:])
            raise
    return bench.figures


async def main(peer: Path | None, at_once: int, resumed: int, idle: int) -> str:
    """Measure ours, and another one if there is a binary of it; return the report."""
    await asyncio.to_thread(build.binaries)
    ours = await measure(OURS, at_once, resumed, idle)
    theirs = await measure(Contender("the other controller", peer), at_once, resumed, idle) if peer is not None else []
    machine = f"{os.cpu_count()} cores for everything, Kubernetes {build.kubernetes_version()}."
    return table(ours, theirs, machine)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m e2e.bench", description=__doc__)
    parser.add_argument("--at-once", type=int, default=100, help="Rollouts that are updated at once")
    parser.add_argument("--resumed", type=int, default=40, help="Rollouts that are resumed one by one")
    parser.add_argument("--idle", type=int, default=2000, help="idle Rollouts; 0 leaves this part out")
    parser.add_argument("--peer", type=Path, help="the binary of another controller of this API, for the ratios")
    parser.add_argument("--report", type=Path, default=REPORT, help="where the table is written")
    chosen = parser.parse_args()
    chosen.report.write_text(asyncio.run(main(chosen.peer, chosen.at_once, chosen.resumed, chosen.idle)))
