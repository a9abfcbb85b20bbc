"""Does the page about simulations show what is printed? Its commands are run in a shell, with its files."""

from pathlib import Path

import yaml

from rollouts.sim.course import read_course
from tests.docs.pages import ROOT, blocks, commands
from tests.docs.shell import complain, environment, run_all

PAGE = ROOT / "docs" / "how-to" / "simulate.md"


async def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    manifest, scenario, measured = (block.text for block in blocks(PAGE) if block.language == "yaml")
    (tmp_path / "web.yaml").write_text(manifest)
    (tmp_path / "scenario.yaml").write_text(scenario)
    assert read_course(yaml.safe_load(measured)).metrics
    typed = commands(PAGE)
    ran = await run_all(typed, tmp_path, environment())
    assert complain(PAGE, ran) == []
    assert len(ran) == len(typed)
