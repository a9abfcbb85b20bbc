"""What does it cost to look after many Rollouts, and what does one of them cost among so many?"""

import asyncio
import time

from e2e.bench.stage import REPLICA_SETS, Bench, Process, canary, image, rollout
from e2e.stream import follow
from e2e.waiting import eventually

PARTS = ("observe", "plan")
UPDATES = 40


async def many_idle(bench: Bench, count: int) -> None:
    """Look after many Rollouts that nobody changes; then start anew and see when the first decision falls."""
    print(f"\n{count} idle Rollouts")
    program = await bench.controller()
    await bench.create(rollout(f"idle-{number}", canary({"setWeight": 50}), replicas=1) for number in range(count))
    await bench.all_healthy("idle-", count, "1", 900)
    await program.stop()
    await bench.patch("idle-0", image("2"))
    decided = asyncio.create_task(_first_decision(bench, "idle-0"))
    await asyncio.sleep(0.3)
    began = time.monotonic()
    program = await bench.controller()
    bench.note(f"start → first decision at {count}", await asyncio.wait_for(decided, 60) - began, "s")
    process = Process(program.pid)
    await _is_quiet(process)
    bench.note(f"memory at {count} idle", process.megabytes, "MB")
    cpu = process.cpu
    await asyncio.sleep(30)
    bench.note(f"CPU at {count} idle", (process.cpu - cpu) / 30 * 100, "% of a core")
    await _one_among_many(bench, count)
    await program.stop()


async def _one_among_many(bench: Bench, count: int) -> None:
    """Update one of the Rollouts a few times, and read from the controller how long the parts of its passes took."""
    before = {part: await _buckets(bench, part) for part in PARTS}
    for number in range(UPDATES):
        await bench.patch("idle-0", image(str(number + 3)))
        await bench.all_healthy("idle-0", 1, str(number + 3), 60)
    for part in PARTS:
        after = await _buckets(bench, part)
        if after:  # another controller doesn't tell
            counts = {bound: number - before[part].get(bound, 0) for bound, number in after.items()}
            bench.note(f"{part} p99 among {count}, at most", _quantile(counts, 0.99) * 1000, "ms")


async def _buckets(bench: Bench, part: str) -> dict[float, float]:
    """Return how many times a part took at most so many seconds."""
    samples = await bench.samples("rollouts_pass_part_seconds_bucket")
    return {float(labels["le"]): value for labels, value in samples if labels["part"] == part}


def _quantile(counts: dict[float, float], share: float) -> float:
    """Return the bound of the bucket that holds the quantile."""
    total = max(counts.values())
    return min(bound for bound, number in counts.items() if number >= total * share)


async def _first_decision(bench: Bench, name: str) -> float:
    async for change in follow(bench.api, REPLICA_SETS, labelSelector=f"app={name}"):
        for each in change.objects:
            if each["spec"]["template"]["spec"]["containers"][0]["image"] == "app:2":
                return time.monotonic()
    raise AssertionError("a watch never ends")


async def _is_quiet(process: Process) -> None:
    """Wait until a second passes with hardly any work."""

    async def check() -> bool:
        before = process.cpu
        await asyncio.sleep(1)
        return process.cpu - before < 0.05

    await eventually(check, within=120, what="the controller is quiet")
