"""`rollouts devcluster`: a Kubernetes API server with workloads, on loopback, with nothing but Python."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollouts.cli.console import complain

if TYPE_CHECKING:
    from datetime import timedelta

    from rollouts.devcluster import DevCluster

_TRY = """\
The dev cluster is up at {url}. In another terminal:

  export KUBECONFIG={kubeconfig}
  kubectl get namespaces
  kubectl create deployment web --image=nginx:1 --replicas=3 --dry-run=client -o yaml | kubectl apply -f -
  kubectl get pods --watch
  kubectl set image deployment/web nginx=nginx:crash     (its containers crash)
  kubectl delete deployment web
{more}
Ctrl-C stops it, and everything in it is gone.
"""
# Without it a first Rollout is accepted, and nothing ever happens to it.
_CONTROLLER = """
  rollouts controller --no-leader-elect --bind-address 127.0.0.1   (Rollouts need it; in a terminal of its own)
"""


def devcluster(
    *,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.", min=0, max=65535)] = 0,
    kubeconfig: Annotated[
        Path | None, typer.Option(help="Where to write the kubeconfig. A temporary file if absent.")
    ] = None,
    pod_start: Annotated[str, typer.Option(help="How long a pod takes to start, for example 300ms or 2s.")] = "300ms",
    crds: Annotated[
        Path | None,
        typer.Option(
            help="A directory of CustomResourceDefinitions (*.yaml) to begin with.", exists=True, file_okay=False
        ),
    ] = None,
    traffic: Annotated[
        bool,
        typer.Option("--traffic", help="Let pods answer requests, and Envoy serve Gateways, all on loopback (Linux)."),
    ] = False,
) -> None:
    """Run a small API server with workloads, for trying and testing."""
    from rollouts.devcluster import DevCluster
    from rollouts.devcluster.errors import ApiError

    seconds = _duration(pod_start).total_seconds()
    cluster = DevCluster(port=port, kubeconfig_path=kubeconfig, pod_start=seconds, crds=crds, traffic=traffic)
    try:
        asyncio.run(_serve(cluster, has_crds=crds is not None))
    except ApiError as error:
        complain(f"error: a manifest in {crds} was refused: {error.message}")
        raise typer.Exit(1) from error
    except OSError as error:
        complain(f"error: the dev cluster can't start: {error}")
        raise typer.Exit(1) from error


def _duration(text: str) -> "timedelta":
    from rollouts.api.durations import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--pod-start") from error


async def _serve(cluster: "DevCluster", *, has_crds: bool) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with cluster:
        more = _CONTROLLER if has_crds else ""
        typer.echo(_TRY.format(url=cluster.url, kubeconfig=cluster.kubeconfig_path, more=more))
        await stopped.wait()
