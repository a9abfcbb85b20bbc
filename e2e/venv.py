"""How does a test get rollouts with plugins installed? A virtual environment that has what ours has, and more."""

import sys
import sysconfig
import venv
from pathlib import Path

from e2e.program import ask

ROOT = Path(__file__).parents[1]
UV = ROOT / ".uv" / "bin" / "uv"  # `make setup` puts it there


class Venv:
    """A virtual environment of its own; rollouts and what it needs are those that this test runs with."""

    def __init__(self, directory: Path) -> None:
        self.python = directory / "bin" / "python"
        venv.create(directory, symlinks=True)
        site = Path(sysconfig.get_path("purelib", vars={"base": str(directory), "platbase": str(directory)}))
        ours = sysconfig.get_path("purelib")
        (site / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")

    async def install(self, *projects: Path) -> None:
        """Build distributions and install them, without what they depend on: rollouts is there."""
        line: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", self.python, "--no-deps", *projects]
        answer = await ask(*line, within=300)
        assert answer.code == 0, answer.text

    @property
    def rollouts(self) -> tuple[str | Path, ...]:
        """The command line that runs `rollouts` of this environment."""
        return (self.python, "-m", "rollouts.cli.main")


assert sys.prefix != sys.base_prefix, "the tests run in a virtual environment: make setup"
