"""Does the page about conditions show what is printed? Its commands are run in a shell."""

from pathlib import Path

from tests.docs.pages import ROOT, commands
from tests.docs.shell import complain, environment, run_all

PAGE = ROOT / "docs" / "how-to" / "try-conditions.md"


async def test_every_command_of_the_page_works(tmp_path: Path) -> None:
    typed = commands(PAGE)
    ran = await run_all(typed, tmp_path, environment())
    assert complain(PAGE, ran) == []
    assert len(ran) == len(typed)
