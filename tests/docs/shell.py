"""What happens when a reader types the commands of a page? A shell runs them in order, as it would for a person."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import Command

BIN = Path(sys.executable).parent
PATIENCE = 240.0  # for what hangs: programs start slowly on a busy machine
_END = "end of command"

# What differs each time: the random end of a pod's name, ages, times and addresses.
_VARIES = (
    (re.compile(r"\b([a-z]+-[0-9a-f]{7,10})-[a-z0-9]{5}\b"), r"\1-POD"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"\b(\d+m)?\d+s\b"), "AGE"),
    (re.compile(r"127\.0\.0\.1:\d+"), "ADDRESS"),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that was run, with what it printed."""

    command: Command
    exit_code: int
    output: str

    def missing(self) -> list[str]:
        """Return the lines that the page shows and that were not printed."""
        printed = [settled(line) for line in self.output.splitlines()]
        return [line for line in self.command.shown if settled(line) not in {*printed, "", "..."}]


def settled(line: str) -> str:
    """Return a line without what differs each time."""
    for pattern, word in _VARIES:
        line = pattern.sub(word, line)
    return line.strip()


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a reader who has the project's programs on the path."""
    kept = {key: value for key, value in os.environ.items() if key not in {"KUBECONFIG", "NO_COLOR", "FORCE_COLOR"}}
    return {**kept, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}


@contextlib.asynccontextmanager
async def controller(kubeconfig: Path) -> AsyncIterator[None]:
    """Run a controller as a user would, beside the cluster that a kubeconfig names."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rollouts.cli.main", "controller", "--kubeconfig", str(kubeconfig)),
        *("--healthzPort", "0", "--metricsPort", "0", "--bind-address", "127.0.0.1"),
        env=environment(POD_NAMESPACE="default"),
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def run_all(commands: Sequence[Command], directory: Path, env: Mapping[str, str]) -> list[Ran]:
    """Run commands in one shell, one after the other, until one ends otherwise than its page says."""
    shell = await asyncio.create_subprocess_exec(
        "bash",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=directory,
        env=env,
    )
    ran: list[Ran] = []
    try:
        for command in commands:
            async with asyncio.timeout(PATIENCE):
                ran.append(await _run(shell, command))
            if ran[-1].exit_code != command.exit_code:
                break
    finally:
        if shell.stdin is not None:
            shell.stdin.close()
        try:
            await asyncio.wait_for(shell.wait(), 10)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                shell.kill()
            await shell.wait()
    return ran


async def _run(shell: asyncio.subprocess.Process, command: Command) -> Ran:
    if shell.stdin is None or shell.stdout is None:
        raise AssertionError("the shell has no pipes")
    shell.stdin.write(f'{command.text}\necho "{_END} $?"\n'.encode())
    await shell.stdin.drain()
    lines: list[str] = []
    while line := (await shell.stdout.readline()).decode(errors="replace"):
        text, mark, code = line.partition(f"{_END} ")
        if mark:
            return Ran(command, int(code), "".join([*lines, text]))
        lines.append(line)
    return Ran(command, -1, "".join(lines))


def complain(page: Path, ran: Sequence[Ran]) -> list[str]:
    """Return what went otherwise than the page says."""
    found = []
    for each in ran:
        where = f"{page.name}:{each.command.line}: $ {each.command.text}"
        if each.exit_code != each.command.exit_code:
            found.append(f"{where}\nended with {each.exit_code}, not {each.command.exit_code}:\n{each.output}")
        if missing := each.missing():
            found.append(f"{where}\nthe page shows:\n" + "\n".join(missing) + f"\nbut it printed:\n{each.output}")
    return found
