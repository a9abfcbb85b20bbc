"""What would a metrics server say? The resource metrics API (metrics.k8s.io), with a load that the test dictates.

The real API server aggregates it: a Service of type ExternalName leads its proxy back to loopback.
"""

import json
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from e2e import ports
from e2e.waiting import eventually

GROUP_VERSION = "metrics.k8s.io/v1beta1"
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
SERVICES = "/api/v1/namespaces/kube-system/services"
TLS = Path(__file__).parents[1] / "tests" / "kube" / "tls"
NAME = "v1beta1.metrics.k8s.io"
SERVICE = "metrics"


class MetricsApi:
    """An asynchronous context manager: serves and is registered from entering to leaving.

    `load` is CPU in thousandths of a core by namespace: all ready pods that a request selects carry it together, as
    the pods behind a Service would.
    """

    def __init__(self, api: aiohttp.ClientSession) -> None:
        self.load: dict[str, int] = {}
        self.selectors: list[str] = []  # what has been asked for, latest last
        self._api = api
        self._port = ports.free(1)[0]
        app = web.Application()
        app.router.add_get(f"/apis/{GROUP_VERSION}", self._resources)
        app.router.add_get(f"/apis/{GROUP_VERSION}/namespaces/{{namespace}}/pods", self._pods)
        self._runner = web.AppRunner(app)

    async def __aenter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(TLS / "server.pem", TLS / "server.key.pem")
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, ssl_context=context).start()
        await self._register()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # While it is registered and silent, the namespace controller could not tell what a namespace still holds.
        for path in (f"{API_SERVICES}/{NAME}", f"{SERVICES}/{SERVICE}"):
            async with self._api.delete(path) as answer:
                await answer.read()
        await self._runner.cleanup()

    async def _register(self) -> None:
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": SERVICE},
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": self._port}]},
        }
        group, _, version = GROUP_VERSION.partition("/")
        registration = {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": NAME},
            "spec": {
                "group": group,
                "version": version,
                "groupPriorityMinimum": 100,
                "versionPriority": 100,
                "insecureSkipTLSVerify": True,  # the certificate is the tests', for another name
                "service": {"namespace": "kube-system", "name": SERVICE, "port": self._port},
            },
        }
        for path, body in ((SERVICES, service), (API_SERVICES, registration)):
            async with self._api.post(path, json=body) as answer:
                assert answer.status == 201, await answer.text()
        await eventually(self._is_available, what="the metrics API is available")

    async def _is_available(self) -> bool:
        async with self._api.get(f"{API_SERVICES}/{NAME}") as answer:
            found: dict[str, Any] = await answer.json()
        conditions = found.get("status", {}).get("conditions") or ()
        assert any(each["type"] == "Available" and each["status"] == "True" for each in conditions), conditions
        return True

    async def _resources(self, _: web.Request) -> web.Response:
        pods = {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]}
        return web.json_response(
            {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": GROUP_VERSION, "resources": [pods]}
        )

    async def _pods(self, request: web.Request) -> web.Response:
        namespace, selector = request.match_info["namespace"], request.query.get("labelSelector", "")
        self.selectors.append(selector)
        path = f"/api/v1/namespaces/{namespace}/pods"
        async with self._api.get(path, params={"labelSelector": selector}) as answer:
            pods = json.loads(await answer.read())["items"]
        ready = [pod for pod in pods if _is_ready(pod)]
        share = self.load.get(namespace, 0) // max(1, len(ready))
        listing = {
            "kind": "PodMetricsList",
            "apiVersion": GROUP_VERSION,
            "metadata": {},
            "items": [_usage(pod, share) for pod in ready],
        }
        return web.json_response(listing)


def _is_ready(pod: Mapping[str, Any]) -> bool:
    conditions = pod["status"].get("conditions") or ()
    return "deletionTimestamp" not in pod["metadata"] and any(
        each["type"] == "Ready" and each["status"] == "True" for each in conditions
    )


def _usage(pod: Mapping[str, Any], thousandths: int) -> dict[str, Any]:
    metadata = pod["metadata"]
    return {
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "window": "1s",
        "containers": [
            {"name": container["name"], "usage": {"cpu": f"{thousandths}m", "memory": "1Mi"}}
            for container in pod["spec"]["containers"]
        ],
    }
