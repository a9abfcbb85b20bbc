"""Which run do templates in files make, and how is it carried out from a laptop? By the controller's own planner."""

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from rollouts.api import unknown
from rollouts.api.names import API_VERSION
from rollouts.cli.analysis_checks import CLUSTER_TEMPLATE, RUN, TEMPLATE, Templates, is_sound, key_of
from rollouts.cli.errors import CommandError
from rollouts.cli.pairs import refuse_unknown
from rollouts.fetch.perform import Bench, perform
from rollouts.plan.analysis.due import Measure
from rollouts.plan.analysis.observed import Taken, observe_run
from rollouts.plan.analysis.run import plan_analysis
from rollouts.plan.analysis.spec import run_spec
from rollouts.plan.analysis.templates import TemplateKey, flatten_template, keys_in
from rollouts.ports.provider import SecretRef
from rollouts.view import fields

Raw = Mapping[str, Any]

_VARIABLE = "ROLLOUTS_SECRET_"
_DEFAULT_INTERVAL = "10s"
_POLL = 0.5


def run_of(
    contents: Sequence[Raw],
    name: str | None,
    args: Mapping[str, str],
    count: int | None,
    namespace: str | None = None,
) -> dict[str, Any]:
    """Return the AnalysisRun that the objects of some files make. Raises CommandError."""
    chosen = _chosen(contents, name)
    shape = [str(each) for each in unknown.findings(chosen["kind"], chosen)]
    if shape:
        raise CommandError(f"{chosen['kind']} {fields.name_of(chosen)!r}: {'; '.join(shape)}")
    spec = _run_spec(chosen, args) if chosen["kind"] == RUN else _template_spec(chosen, contents, args)
    if count is not None:
        spec["metrics"] = [_counted(metric, count) for metric in spec.get("metrics", ())]
    metadata = {
        "name": fields.name_of(chosen) or "run",
        "namespace": namespace or fields.namespace_of(chosen),
        "uid": str(uuid4()),  # what it creates has a name of its own each time
    }
    return {"apiVersion": API_VERSION, "kind": RUN, "metadata": metadata, "spec": spec}


def _chosen(contents: Sequence[Raw], name: str | None) -> Raw:
    """Return the object to run: the named one, or the only one that no other refers to."""
    candidates = [each for each in contents if each.get("kind") in {TEMPLATE, CLUSTER_TEMPLATE, RUN}]
    used = {key for each in candidates for key in keys_in(fields.items(each, "spec", "templates"))}
    if name is not None:
        found = [each for each in candidates if fields.name_of(each) == name]
    else:
        found = [each for each in candidates if each["kind"] == RUN or key_of(each) not in used]
    if len(found) == 1:
        return found[0]
    there = ", ".join(sorted({fields.name_of(each) for each in candidates})) or "none"
    wanted = "no template or run" if name is None else f"no template or run {name!r}"
    raise CommandError(f"{wanted if not found else 'more than one template'} to run: --template chooses one of {there}")


def _template_spec(content: Raw, contents: Sequence[Raw], args: Mapping[str, str]) -> dict[str, Any]:
    templates = Templates.among(contents)
    key: TemplateKey = key_of(content)
    flat = flatten_template(key, templates.specs[key] if is_sound(content) else {}, templates.specs.get)
    declared = {arg["name"] for arg in flat.args}
    refuse_unknown("--arg", args, declared)
    incoming = [{"name": name, "value": value} for name, value in args.items()]
    spec, problems = run_spec(flat, incoming)
    if problems:
        hint = " (--arg NAME=VALUE)" if not flat.problems else ""
        raise CommandError("; ".join(map(str, problems)) + hint)
    return spec


def _run_spec(content: Raw, args: Mapping[str, str]) -> dict[str, Any]:
    declared = fields.items(content, "spec", "args")
    refuse_unknown("--arg", args, {arg["name"] for arg in declared})
    merged = [{"name": arg["name"], "value": args[arg["name"]]} if arg["name"] in args else arg for arg in declared]
    return {**content["spec"], "args": merged}


def _counted(metric: Raw, count: int) -> dict[str, Any]:
    interval = {} if metric.get("interval") or count <= 1 else {"interval": _DEFAULT_INTERVAL}
    return {**metric, **interval, "count": count}


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets of the command line and of the environment; they are never printed."""

    given: Mapping[str, Mapping[str, str]]
    environment: Mapping[str, str]
    wanted: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, written: Iterable[tuple[str, str, str]], environment: Mapping[str, str], run: Raw) -> "Secrets":
        """Collect what was written as (name, key, value), and note which keys the run asks for."""
        given: dict[str, dict[str, str]] = {}
        for name, key, value in written:
            given.setdefault(name, {})[key] = value
        wanted: dict[str, frozenset[str]] = {}
        for arg in run["spec"].get("args") or ():
            reference = fields.part(arg, "valueFrom", "secretKeyRef")
            if reference:
                wanted[reference["name"]] = wanted.get(reference["name"], frozenset()) | {reference["key"]}
        return cls(given, environment, wanted)

    async def read(self, reference: SecretRef) -> Mapping[str, str] | None:
        """Return what is known of a Secret."""
        keys = self.wanted.get(reference.name, frozenset())
        named = {key: self.environment.get(variable(reference.name, key)) for key in keys}
        found = {key: value for key, value in named.items() if value is not None}
        return {**found, **self.given.get(reference.name, {})} or None


def variable(name: str, key: str) -> str:
    """Return the environment variable that holds one key of a Secret."""
    return _VARIABLE + re.sub(r"[^A-Z0-9]", "_", f"{name}_{key}".upper())


async def carry_out(
    run: dict[str, Any], bench: Bench, stopped: asyncio.Event, changed: Callable[[Raw, tuple[str, ...]], None]
) -> Raw:
    """Carry the run out to its end and return its status. `stopped` terminates it as a person would on a cluster."""
    taken: list[Taken] = []
    while True:
        if stopped.is_set():
            run["spec"]["terminate"] = True
        now = datetime.now(UTC)
        plan = plan_analysis(observe_run(run, taken), now, bench.kit)
        taken = []
        if plan.status is not None:
            run["status"] = plan.status
        changed(run.get("status") or {}, plan.because)
        if plan.measure:
            taken = await _performed(plan.measure, bench, stopped)
        elif plan.status is None:
            status: Raw = run["status"]
            if fields.part(run, "status").get("completedAt"):
                return status
            await _wait(plan.wake_at, now, stopped)


async def _performed(measures: Sequence[Measure], bench: Bench, stopped: asyncio.Event) -> list[Taken]:
    """Take measurements together; who has seen enough doesn't wait for them."""
    work = asyncio.gather(*(perform(each, bench) for each in measures))
    if stopped.is_set():
        return await work
    stop = asyncio.ensure_future(stopped.wait())
    either: set[asyncio.Future[Any]] = {work, stop}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if work.done():
        return work.result()
    work.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await work
    return []


async def _wait(until: datetime | None, now: datetime, stopped: asyncio.Event) -> None:
    length = _POLL if until is None else max((until - now).total_seconds(), 0.0)
    try:
        async with asyncio.timeout(length):
            await stopped.wait()
    except TimeoutError:
        return
