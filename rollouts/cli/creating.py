"""Which AnalysisRun does a template make on a cluster? With what it refers to, and only if it can be carried out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rollouts.api import unknown
from rollouts.api.analysis_run import AnalysisRunSpec
from rollouts.api.base import describe, parse
from rollouts.api.keys import INSTANCE_ID
from rollouts.cli.analysis_checks import CLUSTER_TEMPLATE, RUN, TEMPLATE, Templates, key_of
from rollouts.cli.errors import CommandError
from rollouts.cli.pairs import refuse_unknown
from rollouts.cli.planning import read_templates
from rollouts.kube.resources import ANALYSIS_RUNS
from rollouts.plan.analysis.metric import ProviderError, choose
from rollouts.plan.analysis.spec import run_spec
from rollouts.plan.analysis.templates import TemplateKey, flatten_template, keys_in
from rollouts.plan.analysis.validate import run_problems
from rollouts.registry import load_kit
from rollouts.view import fields

if TYPE_CHECKING:
    from rollouts.cli.session import Session

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks for: names, arguments, and which controller shall look after the run."""

    name: str = ""
    generate_name: str = ""
    arguments: Mapping[str, str] | None = None
    instance_id: str = ""


def root_of(contents: Sequence[Raw]) -> tuple[TemplateKey, Mapping[TemplateKey, Raw]]:
    """Return the template in a file that no other one there refers to, and all that are there. Raises CommandError."""
    candidates = [each for each in contents if each.get("kind") in {TEMPLATE, CLUSTER_TEMPLATE}]
    for each in candidates:
        if shape := [str(found) for found in unknown.findings(each["kind"], each)]:
            raise CommandError(f"{each['kind']} {fields.name_of(each)!r}: {'; '.join(shape)}")
    used = {key for each in candidates for key in keys_in(fields.items(each, "spec", "templates"))}
    found = [key_of(each) for each in candidates if key_of(each) not in used]
    if len(found) != 1:
        there = ", ".join(str(key) for key in found) or "none"
        raise CommandError(f"--from-file: one template is needed that no other refers to; there are: {there}")
    return found[0], Templates.among(candidates).specs


async def new_run(
    session: "Session", root: TemplateKey, wanted: Wanted, held: Mapping[TemplateKey, Raw] | None = None
) -> dict[str, Any]:
    """Return the run that a template makes. Raises CommandError with every problem; nothing has been written then."""
    templates = await read_templates(session, [root], held)
    spec = templates[root]
    if spec is None:
        where = "" if root.is_cluster else f" in namespace {session.namespace!r}"
        raise CommandError(f"{root} does not exist{where}: `kubectl get {_plural(root)}` shows what there is")
    flat = flatten_template(root, spec, templates.get)
    arguments = wanted.arguments or {}
    refuse_unknown("--argument", arguments, [str(arg.get("name")) for arg in flat.args])
    made, problems = run_spec(flat, [{"name": name, "value": value} for name, value in arguments.items()])
    told = [str(each) for each in problems] or list(_problems({"metrics": [], **made}))
    if told:
        hint = "; -a NAME=VALUE gives a value" if problems and not flat.problems else ""
        raise CommandError(f"{root} makes no run that can be carried out: {'; '.join(told)}{hint}")
    return {"apiVersion": ANALYSIS_RUNS.api_version, "kind": RUN, "metadata": _metadata(root, wanted), "spec": made}


def _plural(root: TemplateKey) -> str:
    return "clusteranalysistemplates" if root.is_cluster else "analysistemplates"


def _metadata(root: TemplateKey, wanted: Wanted) -> dict[str, Any]:
    name = {"name": wanted.name} if wanted.name else {"generateName": wanted.generate_name or f"{root.name}-"}
    return {**name, "labels": {INSTANCE_ID: wanted.instance_id}} if wanted.instance_id else name


def _problems(spec: Raw) -> Iterator[str]:
    try:
        parsed = parse(AnalysisRunSpec, spec)
    except ValidationError as error:
        yield describe(error)
        return
    for problem in run_problems(spec, parsed, load_kit()):
        if not _is_elsewhere(spec, problem.path):
            yield str(problem)


def _is_elsewhere(spec: Raw, path: str) -> bool:
    """Whether a problem is a metric plugin that isn't installed here: beside the controller it may well be."""
    if ".provider.plugin." not in path:
        return False
    index = int(path.partition("[")[2].partition("]")[0])
    try:
        choose(spec["metrics"][index], load_kit())
    except ProviderError:
        return True
    except ValidationError:
        return False
    return False
