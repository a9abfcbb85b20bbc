"""When plugins are started, and again; and in which order they are called."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rollouts.compiled.config import Entry
from rollouts.compiled.host import Host
from rollouts.compiled.process import CallError, ProcessError, Program
from rollouts.ports import MeasurementError
from rollouts.ports.compiled import CompiledCall, CompiledKind

CALL = CompiledCall(CompiledKind.STEP, "a/b", "Run", {})


async def no_headers(secret: str) -> Mapping[str, str]:
    raise AssertionError(secret)


class Fake:
    """A process that does what the test wants."""

    def __init__(self, outcomes: list[Any]) -> None:
        self.gone, self.why, self.pid = asyncio.Event(), "", 1
        self.outcomes = outcomes
        self.called: list[str] = []
        self.begun = asyncio.Event()

    async def call(self, name: str, values: Mapping[str, Any], limit: float) -> Any:
        del values, limit
        self.called.append(f"{name} begins")
        self.begun.set()
        outcome = self.outcomes.pop(0) if self.outcomes else "done"
        if isinstance(outcome, asyncio.Event):
            await outcome.wait()
        if isinstance(outcome, ProcessError):
            self.gone.set()
            self.why = str(outcome)
        if isinstance(outcome, Exception):
            raise outcome
        self.called.append(f"{name} ends")
        return outcome

    async def close(self) -> None:
        self.gone.set()


@asynccontextmanager
async def hosting(tmp_path: Path, processes: list[Any]) -> AsyncIterator[tuple[Host, list[Program]]]:
    (tmp_path / "program").write_bytes(b"#!")
    started: list[Program] = []

    async def start(program: Program) -> Any:
        started.append(program)
        process = processes.pop(0)
        if isinstance(process, Exception):
            raise process
        return process

    entry = Entry(CompiledKind.STEP, "a/b", f"file://{tmp_path}/program", args=("x",))
    environment = {"HOME": "/h", "PATH": "/p", "TOKEN": "secret", "REGION": "r"}
    async with Host([entry], environment, ["REGION"], no_headers, start) as host:
        yield host, started


async def test_it_is_started_when_it_is_needed_and_once(tmp_path: Path) -> None:
    async with hosting(tmp_path, [Fake([])]) as (host, started):
        assert not started
        assert list(await asyncio.gather(host.call(CALL), host.call(CALL))) == ["done", "done"]
        (program,) = started
        assert program.variables == {"HOME": "/h", "PATH": "/p", "REGION": "r"}
        assert program.args == ("x",)
        assert program.path.read_bytes() == b"#!"
        assert program.folder.stat().st_mode & 0o777 == 0o700
    assert not program.folder.exists()


async def test_one_that_dies_is_started_again_and_called_again(tmp_path: Path) -> None:
    async with hosting(tmp_path, [Fake([ProcessError("it died")]), Fake([])]) as (host, started):
        assert await host.call(CALL) == "done"
        assert len(started) == 2


async def test_one_that_dies_again_and_again_is_left_alone_for_a_while(tmp_path: Path) -> None:
    dying = [Fake([ProcessError("it died")]) for _ in range(2)]
    async with hosting(tmp_path, [*dying]) as (host, started):
        for _ in range(3):
            with pytest.raises(MeasurementError, match="the step plugin a/b can't be called: it died"):
                await host.call(CALL)
        assert len(started) == 2, "its next start is later"


async def test_what_a_plugin_says_is_no_reason_to_start_it_again(tmp_path: Path) -> None:
    async with hosting(tmp_path, [Fake([CallError("Run: no")])]) as (host, started):
        with pytest.raises(MeasurementError, match="Run: no"):
            await host.call(CALL)
        assert await host.call(CALL) == "done"
        assert len(started) == 1


async def test_a_program_that_isnt_there_is_told(tmp_path: Path) -> None:
    async with hosting(tmp_path, []) as (host, _):
        (tmp_path / "program").unlink()
        with pytest.raises(MeasurementError, match="No such file"):
            await host.call(CALL)


async def test_calls_of_one_order_follow_each_other_even_if_nobody_waits_any_more(tmp_path: Path) -> None:
    goes_on = asyncio.Event()
    process = Fake([goes_on])
    async with hosting(tmp_path, [process]) as (host, _):
        first = asyncio.create_task(host.call(CompiledCall(CompiledKind.STEP, "a/b", "First", {}, "web")))
        await process.begun.wait()
        first.cancel()
        second = asyncio.create_task(host.call(CompiledCall(CompiledKind.STEP, "a/b", "Second", {}, "web")))
        other = await host.call(CompiledCall(CompiledKind.STEP, "a/b", "Other", {}, "shop"))
        assert other == "done"
        goes_on.set()
        await second
        assert process.called == [
            *("First begins", "Other begins", "Other ends"),
            *("First ends", "Second begins", "Second ends"),
        ]
