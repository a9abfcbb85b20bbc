"""Which figures are measured, for whom, and where are they written?

`python -m e2e.bench` (`make bench`) prints the figures as a table and writes it to docs/reference/benchmark.md. Writes
are counted in the API server's audit log, CPU and memory by the kernel; only how long the parts of a pass take is read
from the controller's own metrics.
"""

import argparse
import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

from e2e import build, recipes
from e2e.bench.analyses import many_analyses
from e2e.bench.idle import many_idle
from e2e.bench.routes import routes
from e2e.bench.stage import OURS, ROOT, Bench, Contender
from e2e.bench.updates import blue_greens, canaries, one_by_one
from e2e.figures import Figure, table
from e2e.plane import ControlPlane

REPORT = ROOT / "docs" / "reference" / "benchmark.md"


@dataclass(frozen=True)
class Sizes:
    """How many objects each part has; 0 leaves it out."""

    at_once: int
    resumed: int
    routed: int
    idle: int
    analyses: int


async def measure(contender: Contender, sizes: Sizes) -> list[Figure]:
    """Run everything for one controller, on a control plane of its own."""
    print(f"\n== {contender.name}")
    crds = sorted((ROOT / "manifests" / "crds").glob("*.yaml"))
    crds += sorted((build.binaries(recipes.GATEWAY_API) / "crd" / "standard").glob("*_httproutes.yaml"))
    async with ControlPlane(crds=crds, audit=True) as plane, plane.admin.session() as api:
        bench = Bench(contender, plane, api)
        await bench.install()
        try:
            if sizes.at_once:
                await canaries(bench, sizes.at_once)
                await blue_greens(bench, sizes.at_once)
            if sizes.resumed:
                await one_by_one(bench, sizes.resumed)
            if sizes.routed:
                await routes(bench, sizes.routed)
            if sizes.analyses:
                await many_analyses(bench, sizes.analyses)
            if sizes.idle:
                await many_idle(bench, sizes.idle)
        except BaseException:
            print(bench.controller_log.read_text()[-20_000:])
            raise
    return bench.figures


async def main(peer: Path | None, sizes: Sizes) -> str:
    """Measure ours, and another one if there is a binary of it; return the report."""
    for recipe in (recipes.CONTROL_PLANE, recipes.GATEWAY_API):
        await asyncio.to_thread(build.binaries, recipe)
    ours = await measure(OURS, sizes)
    theirs = await measure(Contender("the other controller", peer), sizes) if peer is not None else []
    machine = f"{os.cpu_count()} cores for everything, Kubernetes {build.kubernetes_version()}."
    return table(ours, theirs, machine)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m e2e.bench", description=__doc__)
    parser.add_argument("--at-once", type=int, default=100, help="Rollouts that are updated at once; or 0")
    parser.add_argument("--resumed", type=int, default=40, help="Rollouts that are resumed one by one; or 0")
    parser.add_argument("--routed", type=int, default=20, help="Rollouts with each of several traffic routers; or 0")
    parser.add_argument("--idle", type=int, default=2000, help="idle Rollouts; 0 leaves this part out")
    parser.add_argument("--analyses", type=int, default=1000, help="AnalysisRuns at once; 0 leaves this part out")
    parser.add_argument("--peer", type=Path, help="the binary of another controller of this API, for the ratios")
    parser.add_argument("--report", type=Path, default=REPORT, help="where the table is written")
    chosen = parser.parse_args()
    sizes = Sizes(chosen.at_once, chosen.resumed, chosen.routed, chosen.idle, chosen.analyses)
    chosen.report.write_text(asyncio.run(main(chosen.peer, sizes)))
