"""Does the page about traffic on one's own machine work, command by command, with real requests?"""

from pathlib import Path

from tests.docs.pages import ROOT, commands, first_yaml
from tests.docs.shell import BIN, complain, environment, run_all

PAGE = ROOT / "docs" / "how-to" / "try-traffic.md"


async def test_a_reader_s_requests_go_where_the_weights_say(tmp_path: Path) -> None:
    (tmp_path / "manifests").symlink_to(ROOT / "manifests")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(BIN)
    (tmp_path / "web.yaml").write_text(first_yaml(PAGE))
    typed = [command for command in commands(PAGE) if not command.text.startswith("make ")]
    ran = await run_all(typed, tmp_path, environment(TMPDIR=str(tmp_path)))
    assert complain(PAGE, ran) == []
    assert len(ran) == len(typed)
