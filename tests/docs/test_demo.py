"""Does `make demo` show what it promises, where nobody watches (a pipe, CI)?"""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.docs.shell import environment

CANARY = (
    "An embedded Kubernetes API server and the controller, each a process of its own",
    "Change the image to hello:2.0",
    '$ kubectl patch rollout hello --subresource=status --type=merge -p \'{"status": {"pauseConditions": null}}\'',
    "RolloutAborted: Rollout aborted update to revision 3",
    "a good change went through, a broken one did not",
)
BLUE_GREEN = (
    "clients use the Service hello, people look at hello-preview",
    "Change the image to hello:2.0: all its pods come up in preview",
    "It waits for a person. Clearing the pause promotes it",
    "hello:2.0 (stable, active)",
    "The pods of hello:1.0 stay for 15 s",
    "Back within ",
    "hello:1.0 (stable, active)",
    "taken back while the pods before were still up",
)


def test_make_demo_runs_the_command_that_is_tested_here() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\ndemo:")[2].partition("\n\n")[0]
    assert "$(VENV)/rollouts demo" in recipe


@pytest.mark.parametrize(("words", "key_lines"), [((), CANARY), (("--strategy", "blueGreen"), BLUE_GREEN)])
async def test_the_demo_tells_its_story_and_ends_well(
    tmp_path: Path, words: tuple[str, ...], key_lines: tuple[str, ...]
) -> None:
    demo = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rollouts.cli.main", "demo", *words),
        cwd=tmp_path,
        env=environment(TMPDIR=str(tmp_path)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await demo.communicate()
    transcript = output.decode()
    assert demo.returncode == 0, transcript
    at = 0
    for line in key_lines:
        at = transcript.find(line, at)
        assert at != -1, f"{line!r} is missing, or comes too early:\n{transcript}"
    assert "\x1b" not in transcript, "no terminal, no escape sequences"
    assert not os.listdir(tmp_path), "it leaves nothing behind"  # noqa: PTH208 - a path's own method blocks, ruff says
