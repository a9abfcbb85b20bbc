"""Does the page about blue-green work, command by command, and does it show what a reader will see?"""

from pathlib import Path

from rollouts.api.bluegreen import BlueGreenStrategy
from rollouts.devcluster.cluster import DevCluster
from tests.docs.pages import ROOT, commands, first_yaml
from tests.docs.shell import complain, controller, environment, run_all

PAGE = ROOT / "docs" / "how-to" / "blue-green.md"


async def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(first_yaml(PAGE))
    typed = commands(PAGE)
    async with DevCluster(crds=ROOT / "manifests" / "crds") as cluster, controller(cluster.kubeconfig_path):
        ran = await run_all(typed, tmp_path, environment(KUBECONFIG=str(cluster.kubeconfig_path)))
    assert complain(PAGE, ran) == []
    assert len(ran) == len(typed)


def test_the_page_explains_every_field_of_the_strategy() -> None:
    text = PAGE.read_text()
    names = {field.alias or name for name, field in BlueGreenStrategy.model_fields.items()}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
