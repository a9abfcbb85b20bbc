"""How is the controller run against the control plane, as the ServiceAccount of its manifests and nothing more?"""

import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from e2e import arguments, ports, slowness
from e2e.exposition import samples_of
from e2e.kubectl import Kubectl
from e2e.program import Program
from e2e.serving import answers
from e2e.waiting import PATIENCE, eventually

PROGRAM = Path(sysconfig.get_path("scripts")) / "rollouts"
MANIFESTS = Path(__file__).parents[1] / "manifests"
NAMESPACE = "rollouts"
SERVICE_ACCOUNT = "rollouts-controller"
# The plane has the definitions already, and the controller is a program of ours instead of acted pods.
LEFT_OUT = {"CustomResourceDefinition", "Deployment", "PodDisruptionBudget"}


class Controller(Program):
    """`rollouts controller` as a process: kill() is kill -9, stop() an orderly end, start() starts it again."""

    def __init__(
        self,
        name: str,
        kubeconfig: Path,
        directory: Path,
        flags: Sequence[str] = (),
        program: Sequence[str | Path] = (PROGRAM,),
    ) -> None:
        health, metrics = ports.free(2)
        self.health_url = f"http://127.0.0.1:{health}"
        self.metrics_url = f"http://127.0.0.1:{metrics}/metrics"
        line: list[str | Path] = [*program, "controller", "--kubeconfig", kubeconfig, "--bind-address", "127.0.0.1"]
        line += ["--healthzPort", str(health), "--metricsPort", str(metrics), *flags]
        environment = {**arguments.environment(), "POD_NAMESPACE": NAMESPACE}  # as the Deployment gives it
        log = directory / f"{name}.log"
        super().__init__(name, line, log, environment, is_slow=slowness.is_on("programs"))

    async def ready(self, within: float = PATIENCE) -> None:
        """Wait until it says that it is ready."""
        await answers(self, f"{self.health_url}/readyz", within)

    async def samples(self, metric: str) -> list[tuple[dict[str, str], float]]:
        """Read the samples of one of its metrics: labels and value."""
        return await samples_of(self.metrics_url, metric)


async def install(admin: Kubectl) -> None:
    """Apply what the cluster-wide installation gives the controller: account, roles, Service; wait until they count."""
    objects: list[dict[str, Any]] = [
        document
        for document in yaml.safe_load_all(await admin("kustomize", str(MANIFESTS / "cluster-install")))
        if document["kind"] not in LEFT_OUT
    ]
    await admin.apply(objects)
    account = f"--as=system:serviceaccount:{NAMESPACE}:{SERVICE_ACCOUNT}"

    async def they_count() -> bool:  # an authorizer learns of roles a moment later
        await admin("auth", "can-i", "watch", "rollouts.argoproj.io", "--all-namespaces", account)
        await admin("auth", "can-i", "create", "leases.coordination.k8s.io", f"--namespace={NAMESPACE}", account)
        return True

    await eventually(they_count, what="the controller's roles count")
