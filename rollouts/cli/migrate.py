"""`rollouts migrate deployment`: how does a Deployment become a Rollout, in files or live, and a Deployment again?"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollouts.cli.options import (
    ContextOption,
    KubeconfigOption,
    NamespaceOption,
    TimeoutOption,
    run_on_cluster,
    seconds_of,
)
from rollouts.migrate.wish import ScaleDown, StrategyName, Wish, parse_steps

if TYPE_CHECKING:
    from rollouts.cli.session import Session
    from rollouts.migrate.documents import Conversion

Json = dict[str, Any]
_KINDS = ("deployment", "deployments", "deploy", "deployment.apps", "deployments.apps", "rollout", "rollouts", "ro")


class Form(StrEnum):
    """The forms in which the new objects are written."""

    YAML = "yaml"
    JSON = "json"


def _workload_name(text: str | None) -> str | None:
    kind, slash, name = (text or "").partition("/")
    if slash and (kind not in _KINDS or not name):
        raise typer.BadParameter(f"{text!r} names no Deployment: write NAME or deployment/NAME")
    return name if slash else text


def migrate_deployment(
    invocation: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A Deployment in the cluster.", callback=_workload_name)
    ] = None,
    *,
    filename: Annotated[
        list[str] | None,
        typer.Option(
            "--filename", "-f", metavar="FILE", help="Manifests, a directory of them, or - for stdin; repeatable."
        ),
    ] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="Make Deployments of Rollouts.")] = False,
    strategy: Annotated[
        StrategyName, typer.Option("--strategy", help="How the Rollout changes its pods.")
    ] = StrategyName.CANARY,
    steps: Annotated[
        str, typer.Option("--steps", metavar="STEPS", help="Canary steps, as in 20,pause,50,pause:10m.")
    ] = "",
    active_service: Annotated[
        str, typer.Option("--active-service", metavar="NAME", help="The Service that blue-green switches.")
    ] = "",
    preview_service: Annotated[
        str, typer.Option("--preview-service", metavar="NAME", help="The Service for a look before that.")
    ] = "",
    workload_ref: Annotated[
        bool, typer.Option("--workload-ref", help="Leave the pod template in the Deployment and refer to it.")
    ] = False,
    scale_down: Annotated[
        ScaleDown,
        typer.Option("--scale-down", help="With --workload-ref: when the controller takes the Deployment's pods."),
    ] = ScaleDown.NEVER,
    keep_deployment: Annotated[
        bool, typer.Option("--keep-deployment", help="Keep the Deployment, at 0 pods, instead of deleting it.")
    ] = False,
    run: Annotated[bool, typer.Option("--run", help="Carry the steps out, one by one; needs NAME.")] = False,
    timeout: TimeoutOption = "10m",
    output: Annotated[Form, typer.Option("--output", "-o", help="The form of the new objects.")] = Form.YAML,
    output_dir: Annotated[
        Path | None,
        typer.Option("--output-dir", metavar="DIR", help="Write one file per object into DIR.", file_okay=False),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="Where the report goes; else to stderr.", dir_okay=False),
    ] = None,
    namespace: NamespaceOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
) -> None:
    """Make Rollouts of Deployments: new objects on stdout, a report of what changes and what to do on stderr."""
    from rollouts.cli.console import complain
    from rollouts.migrate.objects import ConversionError

    if bool(name) == bool(filename):
        raise typer.BadParameter("name a Deployment of the cluster, or give files by -f: one of the two")
    if run and not name:
        raise typer.BadParameter("--run works on what is in the cluster: name the Deployment instead of giving files")
    if scale_down is not ScaleDown.NEVER and not workload_ref:
        raise typer.BadParameter("--scale-down is about a Deployment that stays: add --workload-ref, or leave it out")
    try:
        wish = Wish(
            strategy=strategy,
            steps=parse_steps(steps),
            active_service=active_service,
            preview_service=preview_service,
            workload_ref=scale_down if workload_ref else None,
            keeps_deployment=keep_deployment,
            is_reverse=reverse,
        )
        wish.check()
    except ConversionError as error:
        raise typer.BadParameter(str(error)) from error
    writer = _Writer(output, output_dir, report)
    if filename:
        try:
            writer.write(_of_files(filename, wish), is_live=False)
        except ConversionError as error:
            complain(f"error: {error}")
            raise typer.Exit(1) from error
        return
    in_front: dict[str, str | None] = invocation.obj or {}
    given = {"namespace": namespace, "kubeconfig": kubeconfig, "context": context}
    where = {key: value or in_front.get(key) for key, value in given.items()}
    arguments = {"name": name, "wish": wish, "writer": writer, "limit": (timeout, seconds_of(timeout)) if run else None}
    run_on_cluster(_live, f"{'rollout' if reverse else 'deployment'} {name!r}", where, arguments)


def _of_files(places: Sequence[str], wish: Wish) -> "Conversion":
    from rollouts.cli.manifests import UnreadableError, files_of, read_documents
    from rollouts.migrate.documents import convert
    from rollouts.migrate.objects import ConversionError

    try:
        documents = [each.content for place in places for file in files_of(place) for each in read_documents(file)]
    except UnreadableError as error:
        raise ConversionError(str(error)) from error
    return convert(documents, wish)


async def _live(
    session: "Session", name: str, wish: Wish, writer: "_Writer", limit: tuple[str, float | None] | None
) -> None:
    from rollouts.cli.errors import CommandError
    from rollouts.cli.migrating import carry_out, read
    from rollouts.migrate.documents import convert_live
    from rollouts.migrate.objects import ConversionError

    seen = await read(session, name, wish)
    source = seen.rollout if wish.is_reverse else seen.deployment
    if limit is not None and source is None:
        # Perhaps it has been done before: then whatever is left is done now.
        await carry_out(session, name, wish, limit)
        return
    try:
        conversion = convert_live(seen, wish)
    except ConversionError as error:
        kind = "rollout" if wish.is_reverse else "deployment"
        missing = f"{kind} {name!r} not found in namespace {session.namespace!r}: -n names another namespace"
        raise CommandError(missing if source is None else str(error)) from error
    if limit is None:
        writer.write(conversion, is_live=True)
        return
    if wrong := _problems(conversion):
        raise CommandError("; ".join(wrong))
    writer.tell(conversion, is_live=True)
    await carry_out(session, name, wish, limit)


def _problems(conversion: "Conversion") -> list[str]:
    """Return what `rollouts lint` would say of the new Rollouts."""
    from rollouts.cli.checks import findings
    from rollouts.cli.manifests import Document

    documents = [Document("", number, each) for number, each in enumerate(conversion.objects, start=1)]
    return [f"{each.document.title}: {each.path}: {each.message}" for each in findings(documents)]


class _Writer:
    """Where the new objects and the report go."""

    def __init__(self, form: Form, directory: Path | None, report: Path | None) -> None:
        self._form, self._directory, self._report = form, directory, report

    def write(self, conversion: "Conversion", *, is_live: bool) -> None:
        """Write the objects, then the report; exit code 1 where a new Rollout would be refused."""
        from rollouts.cli.console import complain, say

        if self._directory is None:
            say(self._text(conversion.objects))
        else:
            self._write_files(conversion.objects, self._directory)
        self.tell(conversion, is_live=is_live)
        wrong = _problems(conversion)
        for each in wrong:
            complain(f"error: {each}")
        if wrong:
            raise typer.Exit(1)

    def tell(self, conversion: "Conversion", *, is_live: bool) -> None:
        """Write the report."""
        from rollouts.cli.console import complain
        from rollouts.migrate.report import report

        text = report(conversion, directory=str(self._directory or ""), is_live=is_live)
        if self._report is None:
            complain(text)
        else:
            self._report.write_text(f"{text}\n", encoding="utf-8")

    def _text(self, objects: Sequence[Json]) -> str:
        from rollouts.cli.console import as_json, as_yaml

        if self._form is Form.YAML:
            return "\n---\n".join(as_yaml(each) for each in objects)
        only = objects[0] if len(objects) == 1 else {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        return as_json(only)

    def _write_files(self, objects: Sequence[Json], directory: Path) -> None:
        from rollouts.cli.console import say
        from rollouts.migrate.commands import file_of

        directory.mkdir(parents=True, exist_ok=True)
        for each in objects:
            path = directory / file_of(each)
            path.write_text(f"{self._text([each])}\n", encoding="utf-8")
            say(f"written: {path}")
