"""Who runs pods that answer for real, each on an address of its own?

`python -m e2e.serving_kubelet`: the stand-in for kubelets, and behind each status that it writes there is a server that
is as the status says. To be run in a network of its own, where the addresses of pods are local.
"""

import argparse
import asyncio
import os
from pathlib import Path
from typing import Any

from e2e import acting
from e2e.access import Access
from e2e.kubelet import Actor, Kubelet
from e2e.pod_server import PodServer


class ServingKubelet(Kubelet):
    """A pod serves before it is called ready, until it has ended; one that crashes is gone before anybody is told."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._servers: dict[str, PodServer] = {}

    async def _perform(self, actor: Actor, scene: acting.Scene) -> None:
        metadata = actor.pod["metadata"]
        image = actor.pod["spec"]["containers"][0]["image"]
        server = self._servers.setdefault(metadata["uid"], PodServer(actor.address, metadata["name"], image))
        runs = all("running" in each["state"] for each in scene.status["containerStatuses"])
        if runs and not server.is_open:
            await server.open()
        elif not runs:
            server.crash()

    async def _end(self, actor: Actor) -> None:
        if server := self._servers.pop(actor.pod["metadata"]["uid"], None):
            await server.close()

    def _forget(self, uid: str) -> None:
        if server := self._servers.pop(uid, None):
            server.crash()
        super()._forget(uid)


async def _run(access: Access) -> None:
    async with access.session(connections=50) as api:
        await ServingKubelet(api).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m e2e.serving_kubelet", description="Kubelets whose pods serve")
    parser.add_argument("--server", required=True)
    parser.add_argument("--certificate-authority", required=True, type=Path)
    options = parser.parse_args()
    asyncio.run(_run(Access(options.server, options.certificate_authority, os.environ["E2E_TOKEN"])))
