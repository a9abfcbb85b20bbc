"""What becomes of programs that are no plugins, of ours written in a few lines of Python."""

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rollouts.compiled.process import Process, ProcessError, Program
from rollouts.goplugin.handshake import Kind

Make = Callable[[str], Program]
LISTENS = """s = socket.socket(socket.AF_UNIX); s.bind('s'); s.listen()
print('1|1|unix|' + os.path.abspath('s') + '|netrpc', flush=True)
c, _ = s.accept()"""


@pytest.fixture
def program(tmp_path: Path) -> Make:
    def make(code: str) -> Program:
        path = tmp_path / "plugin"
        path.write_text(f"#!{sys.executable}\nimport os, socket, sys, time\n{code}\n")
        path.chmod(0o700)
        return Program("a/b", Kind.STEP, path, ("one",), tmp_path, {"HOME": "/nowhere"})

    return make


def _until_gone(pid: int) -> None:
    """Wait until a process has ended, or is only waited for by nobody."""
    while (place := Path(f"/proc/{pid}/stat")).exists() and place.read_text().split()[2] != "Z":
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("", "is it a plugin of Argo Rollouts"),
        ("print('hello', flush=True); time.sleep(60)", "'hello': is it a plugin"),
        ("print('x' * 100_000, flush=True); time.sleep(60)", "more than 4096 characters"),
        ("print('1|1|unix|/nowhere|netrpc', flush=True); time.sleep(60)", "No such file"),
        ("print('1|1|tcp|192.0.2.1:80|netrpc', flush=True); time.sleep(60)", "isn't on this machine"),
        ("print('1|1|unix|/x|grpc', flush=True); time.sleep(60)", "speaks 'grpc'"),
        (f"{LISTENS}; c.sendall(b'HTTP/1.1 400 Bad'); time.sleep(60)", "doesn't keep to the protocol"),
        (f"{LISTENS}; c.close(); time.sleep(60)", "closed the connection|connection to it broke"),
    ],
)
async def test_what_is_no_plugin_is_told_and_ended(program: Make, code: str, says: str) -> None:
    with pytest.raises(ProcessError, match=says):
        await Process.start(program(code))


async def test_one_that_says_nothing_is_given_up_with_all_that_it_has_started(program: Make, tmp_path: Path) -> None:
    silent = program("")
    silent.path.write_text("#!/bin/sh\nsleep 60 & echo $! > child; wait\n")  # up at once on a busy machine, too
    with pytest.raises(ProcessError, match="wasn't ready within 3 seconds"):
        await Process.start(silent, limit=3)
    child = int((tmp_path / "child").read_text())

    await asyncio.wait_for(asyncio.to_thread(_until_gone, child), 30)


async def test_it_finds_what_it_needs_in_its_environment_and_nothing_else(
    program: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "x")
    code = "open('told', 'w').write(' '.join([*sys.argv[1:], os.environ['ARGO_ROLLOUTS_RPC_PLUGIN'], *os.environ]))"
    with pytest.raises(ProcessError):
        await Process.start(program(code))
    argument, cookie, *names = (tmp_path / "told").read_text().split()
    assert (argument, cookie) == ("one", "step")
    assert "HOME" in names
    assert "OURS" not in names
    assert os.environ["OURS"] == "x"


async def test_what_cant_be_started() -> None:
    with pytest.raises(ProcessError, match="can't be started: No such file"):
        await Process.start(Program("a/b", Kind.STEP, Path("/nowhere"), (), Path("/"), {}))
