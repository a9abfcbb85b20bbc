"""Does everything that the README tells people to type work?"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rollouts.devcluster.cluster import DevCluster
from tests.docs.pages import ROOT, commands, first_yaml
from tests.docs.shell import complain, environment, run_all

README = ROOT / "README.md"


@asynccontextmanager
async def controller(kubeconfig: Path) -> AsyncIterator[None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rollouts.cli.main", "controller", "--kubeconfig", str(kubeconfig)),
        *("--healthzPort", "0", "--metricsPort", "0", "--bind-address", "127.0.0.1"),
        env=environment(POD_NAMESPACE="default"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def test_every_command_of_the_readme_works(tmp_path: Path) -> None:
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    (tmp_path / "web.yaml").write_text(first_yaml(README))
    typed = [command for command in commands(README) if not command.text.startswith("make ")]
    async with DevCluster(crds=ROOT / "manifests" / "crds") as cluster, controller(cluster.kubeconfig_path):
        ran = await run_all(typed, tmp_path, environment(KUBECONFIG=str(cluster.kubeconfig_path)))
    assert complain(README, ran) == []
    assert len(ran) == len(typed)
