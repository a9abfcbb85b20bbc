"""`rollouts create -f FILE`, and `rollouts create analysisrun`: a run made of a template, without a Rollout."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollouts.cli.options import ContextOption, KubeconfigOption, NamespaceOption, on_cluster, run_on_cluster

if TYPE_CHECKING:
    from rollouts.cli.manifests import Document
    from rollouts.cli.session import Session

Json = dict[str, Any]


def create(
    invocation: typer.Context,
    *,
    filename: Annotated[
        list[str] | None,
        typer.Option("--filename", "-f", metavar="FILE", help="A manifest, a directory of them, or -; repeatable."),
    ] = None,
    namespace: NamespaceOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
) -> None:
    """Create objects of this API from files, or an analysis run from a template.

    Everything is checked before anything is created.
    """
    in_front: dict[str, str | None] = invocation.obj or {}
    here = {"namespace": namespace, "kubeconfig": kubeconfig, "context": context}
    where = {name: value or in_front.get(name) for name, value in here.items()}
    if invocation.invoked_subcommand is None:
        if not filename:
            raise typer.BadParameter("name a manifest by -f FILE, or write `create analysisrun`")
        run_on_cluster(_create_objects, "objects", where, {"places": filename})
    elif filename:
        raise typer.BadParameter(f"-f and {invocation.invoked_subcommand!r} don't go together")
    invocation.obj = where


async def _create_objects(session: "Session", places: list[str]) -> None:
    from rollouts.cli.console import say
    from rollouts.cli.errors import CommandError
    from rollouts.cli.manifests import UnreadableError, files_of, read_documents
    from rollouts.kube.errors import AlreadyExists

    try:
        documents = [each for place in places for file in files_of(place) for each in read_documents(file)]
    except UnreadableError as error:
        raise CommandError(str(error)) from error
    for document, resource in _checked(documents):
        namespace = document.content["metadata"].get("namespace") or session.namespace
        try:
            made = await session.api.create(resource, namespace if resource.namespaced else None, document.content)
        except AlreadyExists as error:
            raise CommandError(f"{document.title} exists already: `kubectl apply -f` changes it") from error
        say(f"{resource.kind.lower()}.{resource.group}/{made['metadata']['name']} created")


def _checked(documents: "list[Document]") -> "list[tuple[Document, Any]]":
    """Return the objects with their resources. Raises CommandError with every problem."""
    from rollouts.cli.checks import findings, is_ours
    from rollouts.cli.errors import CommandError
    from rollouts.kube import resources

    kinds = (
        resources.ROLLOUTS,
        resources.EXPERIMENTS,
        resources.ANALYSIS_RUNS,
        resources.ANALYSIS_TEMPLATES,
        resources.CLUSTER_ANALYSIS_TEMPLATES,
    )
    by_kind = {each.kind: each for each in kinds}
    strange = [each.title for each in documents if not is_ours(each.content)]
    if strange or not documents:
        known = ", ".join(by_kind)
        raise CommandError(f"{', '.join(strange) or 'nothing'} can't be created here: kinds are {known}")
    if found := [str(each) for each in findings(documents)]:
        raise CommandError("nothing was created: " + "\n".join(found))
    return [(each, by_kind[each.content["kind"]]) for each in documents]


@on_cluster
async def create_analysis_run(
    session: "Session",
    *,
    from_template: Annotated[
        str, typer.Option("--from", metavar="TEMPLATE", help="An AnalysisTemplate of the namespace.")
    ] = "",
    from_file: Annotated[str, typer.Option("--from-file", metavar="FILE", help="A file with the template.")] = "",
    is_global: Annotated[bool, typer.Option("--global", help="--from names a ClusterAnalysisTemplate.")] = False,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="The run's name.")] = "",
    generate_name: Annotated[
        str,
        typer.Option(
            "--generate-name", metavar="PREFIX", help="The beginning of a name of its own; else the template's."
        ),
    ] = "",
    argument: Annotated[
        list[str] | None, typer.Option("--argument", "-a", metavar="NAME=VALUE", help="An argument; repeatable.")
    ] = None,
    instance_id: Annotated[
        str, typer.Option("--instance-id", metavar="ID", help="Which controller looks after the run.")
    ] = "",
) -> None:
    """Create an analysis run from a template: no rollout is needed, and none is touched."""
    from rollouts.cli.console import say
    from rollouts.cli.creating import Wanted, new_run, root_of
    from rollouts.cli.errors import CommandError
    from rollouts.cli.manifests import UnreadableError, read_documents
    from rollouts.cli.pairs import read_pairs
    from rollouts.kube.errors import AlreadyExists
    from rollouts.kube.resources import ANALYSIS_RUNS
    from rollouts.plan.analysis.templates import TemplateKey

    _refuse_contradictions(from_template, from_file, name, generate_name, is_global=is_global)
    wanted = Wanted(name, generate_name, read_pairs("--argument", argument), instance_id)
    if from_file:
        try:
            root, held = root_of([each.content for each in read_documents(from_file)])
        except UnreadableError as error:
            raise CommandError(str(error)) from error
    else:
        root, held = TemplateKey(from_template, is_global), {}
    run = await new_run(session, root, wanted, held)
    try:
        made = await session.api.create(ANALYSIS_RUNS, session.namespace, run)
    except AlreadyExists as error:
        raise CommandError(f"analysis run {name!r} exists already: choose another --name, or leave it out") from error
    say(f"analysisrun.{ANALYSIS_RUNS.group}/{made['metadata']['name']} created")


def _refuse_contradictions(
    from_template: str, from_file: str, name: str, generate_name: str, *, is_global: bool
) -> None:
    if bool(from_template) == bool(from_file):
        raise typer.BadParameter("name the template by either --from or --from-file")
    if is_global and from_file:
        raise typer.BadParameter("--global goes with --from: in a file the kind tells the scope")
    if name and generate_name:
        raise typer.BadParameter("--name and --generate-name don't go together")
