"""Does `make demo` show what it promises, where nobody watches (a pipe, CI)?"""

import asyncio
import os
import sys
from pathlib import Path

from tests.docs.pages import ROOT
from tests.docs.shell import environment

KEY_LINES = (
    "An embedded Kubernetes API server and the controller, each a process of its own",
    "Change the image to hello:2.0",
    '$ kubectl patch rollout hello --subresource=status --type=merge -p \'{"status": {"pauseConditions": null}}\'',
    "RolloutAborted: Rollout aborted update to revision 3",
    "a good change went through, a broken one did not",
)


def test_make_demo_runs_the_command_that_is_tested_here() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\ndemo:")[2].partition("\n\n")[0]
    assert "$(VENV)/rollouts demo" in recipe


async def test_the_demo_tells_its_story_and_ends_well(tmp_path: Path) -> None:
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rollouts.cli.main", "demo"),
        cwd=tmp_path,
        env=environment(TMPDIR=str(tmp_path)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await demo.communicate()
    transcript = output.decode()
    assert demo.returncode == 0, transcript
    positions = [transcript.find(line) for line in KEY_LINES]
    assert -1 not in positions, f"{KEY_LINES[positions.index(-1)]!r} is missing:\n{transcript}"
    assert positions == sorted(positions), transcript
    assert "\x1b" not in transcript, "no terminal, no escape sequences"
    assert not os.listdir(tmp_path), "it leaves nothing behind"  # noqa: PTH208 - a path's own method blocks, ruff says
