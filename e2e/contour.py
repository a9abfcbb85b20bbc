"""How do routes of the Gateway API come to be real? Contour follows them and tells Envoy."""

import json
from pathlib import Path
from typing import Any

from e2e.data_plane import DataPlane
from e2e.kubectl import Kubectl
from e2e.program import ask
from e2e.waiting import PATIENCE, eventually

Json = dict[str, Any]
OURS = Path(__file__).parents[1] / "manifests" / "crds"
NAMESPACE, GATEWAY = "gateways", "public"
XDS, HEALTH, METRICS = 8001, 8003, 8004  # ports in a network where nobody else is; 8002 has Envoy's statistics
CLASS = "contour"
# Contour's features that need definitions which the tests don't install, or which are of no interest here.
FEATURES = ("tlsroutes", "grpcroutes", "tcproutes", "backendtlspolicies", "extensionservices")
OBJECTS: list[Json] = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": {"name": CLASS},
        "spec": {"controllerName": "projectcontour.io/gateway-controller"},
    },
    {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": {"name": GATEWAY, "namespace": NAMESPACE},
        "spec": {
            "gatewayClassName": CLASS,
            "listeners": [
                {"name": "http", "protocol": "HTTP", "port": 80, "allowedRoutes": {"namespaces": {"from": "All"}}}
            ],
        },
    },
]


def definitions(gateway_api: Path, contour_kinds: Path) -> list[Path]:
    """What has to be served before the control plane starts: our kinds, the Gateway API's standard ones, Contour's."""
    standard = [path for path in sorted((gateway_api / "standard").glob("*.yaml")) if "_vap_" not in path.name]
    return [*sorted(OURS.glob("*.yaml")), *standard, contour_kinds]


async def run(data: DataPlane, contour: Path, envoy: Path) -> None:
    """Start both in the network of a data plane, for one Gateway that takes routes from everywhere."""
    admin = Kubectl(data.plane.admin_kubeconfig, NAMESPACE)
    await admin.apply(OBJECTS)
    at = data.directory
    config = at / "contour.yaml"
    config.write_text(json.dumps({"gateway": {"gatewayRef": {"namespace": NAMESPACE, "name": GATEWAY}}}))
    flags = [
        f"--kubeconfig={data.plane.admin_kubeconfig}",
        f"--config-path={config}",
        "--insecure",
        "--disable-leader-election",
        "--xds-address=127.0.0.1",
        f"--xds-port={XDS}",
        "--health-address=127.0.0.1",
        f"--health-port={HEALTH}",
        "--http-address=127.0.0.1",
        f"--http-port={METRICS}",
        "--envoy-service-http-address=127.0.0.1",
        "--stats-address=127.0.0.1",
        *(f"--disable-feature={feature}" for feature in FEATURES),
    ]
    follower = await data.start("contour", contour, "serve", *flags)
    bootstrap = at / "envoy.json"
    line = (contour, "bootstrap", str(bootstrap), "--xds-address=127.0.0.1", f"--xds-port={XDS}")
    answer = await ask(*line, f"--admin-address={data.envoy}", f"--namespace={NAMESPACE}", within=PATIENCE)
    assert answer.code == 0, answer.text
    proxy = await data.start(
        "envoy", envoy, "-c", bootstrap, "--service-cluster", NAMESPACE, "--service-node", "envoy", "--concurrency", "1"
    )

    async def is_programmed() -> bool:
        follower.require_running()
        proxy.require_running()
        found = await admin.json("get", "gateway", GATEWAY)
        kinds = {each["type"]: each["status"] for each in found.get("status", {}).get("conditions", [])}
        assert kinds.get("Accepted") == "True", kinds
        return True

    await eventually(is_programmed, what="Contour has accepted the Gateway")
