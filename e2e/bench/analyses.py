"""How punctual is the controller with many analyses, and what does a measurement cost?"""

import asyncio
import contextlib
import statistics
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from e2e.bench.stage import Bench, Process, analysis_run
from e2e.waiting import eventually
from tests.serving import serving

INTERVAL = 10.0
WINDOW = 60.0
SETTLING = 20.0
FLUSH = 6.0
"""Seconds after which the API server has written its audit log."""


class Prometheus:
    """A metrics server that answers at once, and notes when it was asked by which run, and when it had answered."""

    def __init__(self) -> None:
        self.address = ""
        self.asked: defaultdict[str, list[float]] = defaultdict(list)
        self.answered: defaultdict[str, list[float]] = defaultdict(list)

    async def answer(self, request: web.Request) -> web.Response:
        """Answer an instant query; its text is the run's name."""
        arrived = time.monotonic()
        name = str((await request.post()).get("query") or request.query["query"])
        sample = {"metric": {}, "value": [1700000000, "0.01"]}
        response = web.json_response({"status": "success", "data": {"resultType": "vector", "result": [sample]}})
        self.asked[name].append(arrived)
        self.answered[name].append(time.monotonic())
        return response

    def delays(self, since: float) -> list[float]:
        """Return by how many seconds measurements began later than an interval after the answer before."""
        return [
            begun - answered - INTERVAL
            for name, asked in self.asked.items()
            for begun, answered in zip(asked[1:], self.answered[name], strict=False)
            if begun >= since
        ]


@contextlib.asynccontextmanager
async def prometheus() -> AsyncIterator[Prometheus]:
    """Serve metrics while the context lasts."""
    server = Prometheus()
    async with serving(server.answer) as server.address:
        yield server


async def many_analyses(bench: Bench, count: int) -> None:
    """Let many AnalysisRuns measure every ten seconds, for a minute."""
    print(f"\n{count} AnalysisRuns that measure every {INTERVAL:g} s")
    async with prometheus() as server:
        program = await bench.controller()
        await bench.create(analysis_run(f"analysis-{number}", server.address) for number in range(count))
        await eventually(lambda: _each(server, count, 3), within=300, what="every run has been measured three times")
        await asyncio.sleep(SETTLING)  # all have begun at once, and their writes have queued
        process, server_process = Process(program.pid), Process(bench.plane.pids["kube-apiserver"])
        cpu, cpu_of_server, (_, mark), began = process.cpu, server_process.cpu, bench.writes(0), time.monotonic()
        await asyncio.sleep(WINDOW)
        used, took = process.cpu - cpu, time.monotonic() - began
        used_by_server = server_process.cpu - cpu_of_server
        window = datetime.now(UTC) - timedelta(seconds=took), datetime.now(UTC)
        measured = sum(begun >= began for asked in server.asked.values() for begun in asked)
        await asyncio.sleep(FLUSH)
        counts, _ = bench.writes(mark)
        times = [each * 1000 for each in bench.write_times(mark, "analysisruns", *window)]
        delays = [each * 1000 for each in server.delays(began)]
        bench.note(f"measurements of {count} runs", measured / took, "/s")
        bench.note("measurement begins after it is due p50", statistics.median(delays), "ms")
        bench.note("measurement begins after it is due p99", statistics.quantiles(delays, n=100)[98], "ms")
        bench.note("writes per measurement", len(times) / measured)
        bench.note("refused writes per measurement", counts["analysisruns refused"] / measured)
        bench.note("the API server's time for a write p50", statistics.median(times), "ms")
        bench.note("the API server's time for a write p99", statistics.quantiles(times, n=100)[98], "ms")
        bench.note("CPU per measurement", used / measured * 1000, "ms")
        bench.note("the API server's CPU per measurement", used_by_server / measured * 1000, "ms")
        bench.note(f"CPU of {count} runs", used / took * 100, "% of a core")
        bench.note(f"memory at {count} runs", process.megabytes, "MB")
        await program.stop()


async def _each(server: Prometheus, count: int, times: int) -> bool:
    measured: list[Any] = [name for name, answered in server.answered.items() if len(answered) >= times]
    return len(measured) == count
