"""Does the tutorial work, command by command, and does it show what a reader will see?"""

from pathlib import Path

from tests.docs.pages import ROOT, commands, first_yaml
from tests.docs.shell import BIN, complain, environment, run_all

TUTORIAL = ROOT / "docs" / "tutorial" / "first-canary.md"


async def test_a_reader_gets_from_nothing_to_a_promoted_and_an_aborted_canary(tmp_path: Path) -> None:
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(BIN)
    (tmp_path / "web.yaml").write_text(first_yaml(TUTORIAL))
    typed = [command for command in commands(TUTORIAL) if not command.text.startswith("make ")]
    ran = await run_all(typed, tmp_path, environment())
    assert complain(TUTORIAL, ran) == []
    assert len(ran) == len(typed)
