"""How often are routes written? Once for each change of the weight, and never else."""

import asyncio
from collections.abc import Callable
from typing import Any

from e2e.bench.stage import Bench, image, rollout, service
from e2e.bench.updates import CANARY_STEPS

Json = dict[str, Any]

CHANGES = len([*CANARY_STEPS, "all to the new version", "back to stable's Service"])
FLUSH = 6.0
"""Seconds after which the API server has written its audit log, and the controller counts that could wait."""

MORE_PODS = 6


def by_gateway_api(name: str) -> tuple[Json, Json]:
    """Return the settings of a router, and its object."""
    rules = [{"backendRefs": [{"name": f"{name}-stable", "port": 80}]}]
    route = _object(
        "gateway.networking.k8s.io/v1", "HTTPRoute", name, {"parentRefs": [{"name": "public"}], "rules": rules}
    )
    return {"gatewayAPI": {"httpRoutes": [{"name": name}]}}, route


def by_nginx(name: str) -> tuple[Json, Json]:
    """Return the settings of a router, and its object."""
    return {"nginx": {"stableIngress": name}}, _ingress(name, f"{name}-stable", {"number": 80})


def by_alb(name: str) -> tuple[Json, Json]:
    """Return the settings of a router, and its object."""
    return {"alb": {"ingress": name, "servicePort": 80}}, _ingress(name, f"{name}-stable", {"name": "use-annotation"})


ROUTERS: dict[str, tuple[str, Callable[[str], tuple[Json, Json]]]] = {
    "gatewayAPI": ("httproutes", by_gateway_api),
    "nginx": ("ingresses", by_nginx),
    "alb": ("ingresses", by_alb),
}


async def routes(bench: Bench, count: int) -> None:
    """Update canaries of 4 pods through 25, 50 and 75 percent by each router, scale them, and count what is written."""
    print(f"\n{count} Rollouts of 4 pods with each of {', '.join(ROUTERS)} through setWeight 25, 50, 75")
    for router, (resource, make) in ROUTERS.items():
        if bench.contender.binary is not None and router == "gatewayAPI":
            continue  # others know it as a plugin, if at all
        program = await bench.controller()
        names = [f"{router.lower()}-{number}" for number in range(count)]
        for name in names:
            settings, raw = make(name)
            pair = (_service(name, role) for role in ("stable", "canary"))
            await bench.create([*pair, raw, canary(name, settings)])
        await bench.all_healthy(f"{router.lower()}-", count, "1", 120)
        await asyncio.sleep(FLUSH)
        _, mark = bench.writes(0)
        await asyncio.gather(*(bench.patch(name, image("2")) for name in names))
        await bench.all_healthy(f"{router.lower()}-", count, "2", 600)
        await asyncio.sleep(FLUSH)
        of_update, mark = bench.writes(mark)
        await asyncio.gather(*(bench.patch(name, {"spec": {"replicas": MORE_PODS}}) for name in names))
        await bench.all_have(f"{router.lower()}-", count, MORE_PODS, 120)
        await asyncio.sleep(FLUSH)
        of_scaling, _ = bench.writes(mark)
        bench.note(f"{router}: writes to the route per change of its weight", of_update[resource] / (count * CHANGES))
        bench.note(f"{router}: refused writes to it per update", of_update[f"{resource} refused"] / count)
        bench.note(f"{router}: writes to it when the pods are scaled", of_scaling[resource] / count)
        await program.stop()


def canary(name: str, settings: Json) -> Json:
    """Return a Rollout with a router."""
    services = {"stableService": f"{name}-stable", "canaryService": f"{name}-canary"}
    more = {"scaleDownDelaySeconds": 1, "trafficRouting": settings, "steps": CANARY_STEPS}
    return rollout(name, {"canary": {**services, **more}})


def _service(name: str, role: str) -> Json:
    """Return a Service for the pods of a Rollout."""
    found = service(f"{name}-{role}")
    return {**found, "spec": {**found["spec"], "selector": {"app": name}}}


def _ingress(name: str, backend: str, port: Json) -> Json:
    path = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": backend, "port": port}}}
    return _object("networking.k8s.io/v1", "Ingress", name, {"rules": [{"http": {"paths": [path]}}]})


def _object(version: str, kind: str, name: str, spec: Json) -> Json:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "default"}, "spec": spec}
