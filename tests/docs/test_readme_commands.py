"""Does everything that the README tells people to type work?"""

from pathlib import Path

from rollouts.devcluster.cluster import DevCluster
from tests.docs.pages import ROOT, commands, first_yaml
from tests.docs.shell import complain, controller, environment, run_all

README = ROOT / "README.md"


async def test_every_command_of_the_readme_works(tmp_path: Path) -> None:
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    (tmp_path / "web.yaml").write_text(first_yaml(README))
    typed = [command for command in commands(README) if not command.text.startswith("make ")]
    async with DevCluster(crds=ROOT / "manifests" / "crds") as cluster, controller(cluster.kubeconfig_path):
        ran = await run_all(typed, tmp_path, environment(KUBECONFIG=str(cluster.kubeconfig_path)))
    assert complain(README, ran) == []
    assert len(ran) == len(typed)
