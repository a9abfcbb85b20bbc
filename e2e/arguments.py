"""Which flags make the real programs small, quick and private to a test?"""

import os
from pathlib import Path

from e2e import slowness
from e2e.access import Access

# Everything that a rollout's objects depend on; no clouds, volumes, certificates or node life cycles.
CONTROLLERS = (
    "clusterrole-aggregation-controller",
    "cronjob-controller",
    "deployment-controller",
    "disruption-controller",
    "endpoints-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "horizontal-pod-autoscaler-controller",
    "job-controller",
    "namespace-controller",
    "pod-garbage-collector-controller",
    "replicaset-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "statefulset-controller",
    "ttl-after-finished-controller",
)

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  verbs: [create, update, patch, delete, deletecollection]
- level: None
"""

# Everything that ServiceAccounts of one namespace ask for, reads and watches too.
AUDIT_OF_ACCOUNTS = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  userGroups: ["system:serviceaccounts:{namespace}"]
- level: None
"""


def etcd(at: Path, clients: str, peers: str) -> list[str]:
    """A store that never waits for the disk: it is thrown away afterwards."""
    return [
        f"--data-dir={at / 'etcd'}",
        "--name=e2e",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        f"--listen-peer-urls={peers}",
        f"--initial-advertise-peer-urls={peers}",
        f"--initial-cluster=e2e={peers}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(at: Path, *, port: int, store: str, audit: Path | None) -> list[str]:
    """RBAC and the default admission plugins, as on any cluster; tokens from a file for the people of the test."""
    certificates = at / "certificates"
    flags = [
        f"--etcd-servers={store}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        "--endpoint-reconciler-type=none",  # a loopback address is no valid endpoint of the `kubernetes` Service
        f"--cert-dir={certificates}",
        f"--token-auth-file={at / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        # The key of the certificate that it makes itself just before it reads this file.
        f"--service-account-signing-key-file={certificates / 'apiserver.key'}",
        f"--service-account-key-file={certificates / 'apiserver.key'}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--disable-admission-plugins=TaintNodesByCondition",  # nobody would remove the taint of a new node
        "--enable-priority-and-fairness=false",  # two cores, one tenant: queues would only blur what is measured
        "--max-requests-inflight=0",
        "--max-mutating-requests-inflight=0",
        "--shutdown-send-retry-after",  # an orderly end in seconds: open watches are not waited for
        "--allow-privileged",
        "--profiling=false",
    ]
    if audit is not None:
        flags += [
            f"--audit-log-path={audit}",
            f"--audit-policy-file={at / 'audit-policy.yaml'}",
            "--audit-log-mode=batch",
        ]
    return flags


def controller_manager(at: Path) -> list[str]:
    """The controllers, never the bottleneck."""
    kubeconfig = at / "controller-manager.kubeconfig"
    return [
        f"--kubeconfig={kubeconfig}",
        "--secure-port=0",
        "--leader-elect=false",
        f"--controllers={','.join(CONTROLLERS)}",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--concurrent-deployment-syncs=20",
        "--concurrent-replicaset-syncs=20",
        "--concurrent-statefulset-syncs=5",
        "--concurrent-job-syncs=20",
        "--concurrent-service-endpoint-syncs=20",
        "--concurrent-gc-syncs=20",
        "--concurrent-namespace-syncs=20",
        "--horizontal-pod-autoscaler-sync-period=2s",
        f"--root-ca-file={at / 'certificates' / 'apiserver.crt'}",
    ]


def kubelet(access: Access, start_delay: float, nodes: int) -> list[str]:
    """Flags of our stand-in."""
    slow = slowness.is_on("pods")
    return [
        "-m",
        "e2e.kubelet",
        f"--server={access.server}",
        f"--certificate-authority={access.authority}",
        f"--start-delay={max(start_delay, slowness.POD_START) if slow else start_delay}",
        *([f"--stop-delay={slowness.POD_END}"] if slow else []),
        f"--nodes={nodes}",
    ]


def environment(token: str | None = None) -> dict[str, str]:
    """The environment of the programs: nothing from a proxy, a token where it shouldn't show in a process list."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().endswith("_PROXY")}
    kept["PYTHONPATH"] = str(Path(__file__).parents[1])
    if token is not None:
        kept["E2E_TOKEN"] = token
    return kept
