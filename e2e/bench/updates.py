"""How many writes, how much time and CPU does an update take?"""

import asyncio
import statistics
import time
from typing import Any

from e2e.bench.stage import REPLICA_SETS, ROLLOUTS, Bench, Process, blue_green, canary, image, rollout, service
from e2e.stream import follow

CANARY_STEPS: list[dict[str, Any]] = [{"setWeight": weight} for weight in (25, 50, 75)]


async def canaries(bench: Bench, count: int) -> None:
    """Update many canaries of 4 pods through 25, 50 and 75 percent at the same moment."""
    print(f"\n{count} Rollouts of 4 pods through setWeight 25, 50, 75, all at once")
    await bench.create(rollout(f"all-{number}", canary(*CANARY_STEPS)) for number in range(count))
    await _all_at_once(bench, "all", count, "")


async def blue_greens(bench: Bench, count: int) -> None:
    """Update many blue-green rollouts of 4 pods at the same moment."""
    print(f"\n{count} blue-green Rollouts of 4 pods, all at once")
    await bench.create(service(f"blue-{number}") for number in range(count))
    await bench.create(rollout(f"blue-{number}", blue_green(f"blue-{number}")) for number in range(count))
    await _all_at_once(bench, "blue", count, "blue-green: ")


async def _all_at_once(bench: Bench, prefix: str, count: int, what: str) -> None:
    program = await bench.controller()
    await bench.all_healthy(f"{prefix}-", count, "1", 60)
    await asyncio.sleep(2)  # what is still being written belongs to the first deploy
    process = Process(program.pid)
    cpu, passes, (_, mark) = process.cpu, await bench.passes(), bench.writes(0)
    began = time.monotonic()
    await asyncio.gather(*(bench.patch(f"{prefix}-{number}", image("2")) for number in range(count)))
    await bench.all_healthy(f"{prefix}-", count, "2", 600)
    took = time.monotonic() - began
    await asyncio.sleep(6)  # a change of counts may still wait
    counts, _ = bench.writes(mark)
    events = counts.pop("events", 0)
    refused = {kind: number for kind, number in counts.items() if kind.endswith("refused")}
    done = {kind: number for kind, number in counts.items() if kind not in refused and kind != "leases"}
    bench.note(f"{what}writes per update", sum(done.values()) / count)
    for kind, number in sorted(done.items()):
        bench.note(f"  {what}on {kind}", number / count)
    bench.note(f"{what}refused writes per update", sum(refused.values()) / count)
    bench.note(f"{what}events per update", events / count)
    bench.note(f"{what}passes per update", (await bench.passes() - passes) / count)
    bench.note(f"{what}all updated", took, "s")
    bench.note(f"{what}CPU for all", process.cpu - cpu, "s")
    bench.note(f"{what}memory", process.megabytes, "MB")
    await program.stop()


async def one_by_one(bench: Bench, count: int) -> None:
    """Resume paused Rollouts one after the other, and watch how soon something happens."""
    print(f"\n{count} Rollouts through a pause, one at a time")
    steps: list[dict[str, Any]] = [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]
    program = await bench.controller()
    sizes, pauses = [], []
    for number in range(count):
        name = f"one-{number}"
        await bench.create([rollout(name, canary(*steps))])
        await bench.all_healthy(name, 1, "1", 60)
        await bench.patch(name, image("2"))
        await _paused_at(bench, name, 1)
        scaled = asyncio.create_task(_canary_has(bench, name, 2))
        paused = asyncio.create_task(_paused_at(bench, name, 3))
        await asyncio.sleep(0.3)  # both watches are open by now, and the cluster is quiet
        began = time.monotonic()
        await bench.patch(name, {"status": {"pauseConditions": None}}, "/status")
        sizes.append((await asyncio.wait_for(scaled, 30) - began) * 1000)
        pauses.append((await asyncio.wait_for(paused, 30) - began) * 1000)
    for what, values in (("resume → size", sizes), ("resume → next pause", pauses)):
        bench.note(f"{what} p50", statistics.median(values), "ms")
        bench.note(f"{what} p99", statistics.quantiles(values, n=100)[98], "ms")
    await program.stop()


async def _paused_at(bench: Bench, name: str, index: int) -> float:
    async for change in follow(bench.api, ROLLOUTS, fieldSelector=f"metadata.name={name}"):
        for each in change.objects:
            status = each.get("status") or {}
            if status.get("currentStepIndex") == index and status.get("pauseConditions"):
                return time.monotonic()
    raise AssertionError("a watch never ends")


async def _canary_has(bench: Bench, name: str, size: int) -> float:
    async for change in follow(bench.api, REPLICA_SETS, labelSelector=f"app={name}"):
        for each in change.objects:
            tag = each["spec"]["template"]["spec"]["containers"][0]["image"]
            if tag == "app:2" and each["spec"]["replicas"] == size:
                return time.monotonic()
    raise AssertionError("a watch never ends")
