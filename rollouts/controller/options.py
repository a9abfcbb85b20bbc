"""What can be set about a controller process? Its options, and where the ones that nobody set come from."""

import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
DEFAULT_NAMESPACE = "argo-rollouts"
LEASE_NAME = "argo-rollouts-controller-lock"


@dataclass(frozen=True, slots=True)
class Options:
    """How one controller process runs. Times are in seconds; `namespace` is None for the whole cluster.

    `disabled_steps` names the step plugins whose steps count as complete. `settings` are for routers and
    metric providers, and go before those of the environment.
    `plugin_environment` names the variables that compiled plugins find besides the usual ones.
    """

    namespace: str | None = None
    instance_id: str = ""
    kubeconfig: str | None = None
    context: str | None = None
    address: str = "0.0.0.0"  # noqa: S104 - probes and Prometheus come from outside the pod
    health_port: int = 8080
    metrics_port: int = 8090
    workers: int = 32
    resync: float = 900.0
    status_delay: float = 5.0
    disabled_steps: frozenset[str] = frozenset()
    settings: Mapping[str, str] = field(default_factory=dict)
    plugin_environment: tuple[str, ...] = ()
    leader_elect: bool = True
    lease_duration: float = 15.0
    renew_deadline: float = 10.0
    retry_period: float = 2.0
    controller_namespace: str | None = None
    identity: str = field(default_factory=lambda: f"{socket.gethostname()}_{uuid.uuid4()}")
    grace: float = 10.0

    @property
    def home(self) -> str:
        """The namespace in which the controller's own ConfigMap and Secrets are."""
        return self.controller_namespace or self.namespace or DEFAULT_NAMESPACE

    @property
    def lease_name(self) -> str:
        """The Lease that controllers of the same instance compete for."""
        return f"{LEASE_NAME}-{self.instance_id}" if self.instance_id else LEASE_NAME


def find_controller_namespace(environment: Mapping[str, str] = os.environ, file: Path = NAMESPACE_FILE) -> str | None:
    """Return the namespace of the pod that we run in; None outside of a cluster."""
    if environment.get("POD_NAMESPACE"):
        return environment["POD_NAMESPACE"]
    try:
        return file.read_text().strip() or None
    except OSError:
        return None
