"""`rollouts simulate -f FILE`: how will this update go? The planner runs on a simulated cluster, in no time."""

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollouts.api.durations import format_duration, parse_pause
from rollouts.cli.options import NoColorOption
from rollouts.view.status import DEGRADED, HEALTHY, PAUSED, Shown

if TYPE_CHECKING:
    from rollouts.cli.manifests import Document
    from rollouts.cli.rehearsal import Cast, Rehearsal
    from rollouts.sim.course import Course

DEGRADED_CODE, PAUSED_CODE, UNFINISHED_CODE = 3, 4, 5
_CODES = {HEALTHY: 0, DEGRADED: DEGRADED_CODE, PAUSED: PAUSED_CODE}
_WEEK = "168h"
_STOPPED = {
    "limit": "the limit of {limit} is reached: --limit raises it",
    "passes": "it was stopped after very many passes: shorten the scenario",
    "restless": "the planner never comes to rest here, which is a bug: please report it, with the manifests",
}


class Form(StrEnum):
    """The forms in which a timeline is shown."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"


def _duration(text: str | None) -> str | None:
    if text is not None:
        try:
            parse_pause(text)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
    return text


def _picture(text: str | None) -> str | None:
    if text is not None and Path(text).suffix not in (".svg", ".png"):
        raise typer.BadParameter(f"{text!r} is no picture that can be drawn: write a name that ends in .svg or .png")
    return text


def simulate(
    filename: Annotated[
        list[str],
        typer.Option(
            "--filename",
            "-f",
            metavar="FILE",
            help="The Rollout and its Services; later versions of the Rollout are updates. A file, a directory, "
            "or - for stdin; repeatable.",
        ),
    ],
    *,
    scenario: Annotated[
        str | None, typer.Option("--scenario", "-s", metavar="FILE", help="What pods and people do on the way.")
    ] = None,
    resume_after: Annotated[
        str | None,
        typer.Option(
            "--resume-after",
            metavar="DURATION",
            help="Promote a pause without end after this time; 0: never. Default: 60s, with a scenario what it says.",
            callback=_duration,
        ),
    ] = None,
    limit: Annotated[
        str, typer.Option("--limit", metavar="DURATION", help="Simulate no longer than this.", callback=_duration)
    ] = _WEEK,
    output: Annotated[
        Form, typer.Option("--output", "-o", metavar="FORM", help="table, wide (all reasons and events) or json.")
    ] = Form.TABLE,
    picture: Annotated[
        str | None,
        typer.Option("--picture", metavar="FILE", help="Draw it too: FILE.svg or FILE.png.", callback=_picture),
    ] = None,
    no_color: NoColorOption = False,
) -> None:
    """Show how an update will go, by the controller's own planner on a simulated cluster.

    Without a scenario the Rollout is deployed and, once Healthy, updated: to the next version in the files, or else to
    another tag of its images.

    Exit code 0 if it ends Healthy, 3 Degraded, 4 Paused, 5 otherwise; 1 if it can't be run.
    """
    from rollouts.cli.console import complain
    from rollouts.cli.rehearsal import rehearse

    the_cast, course = _read(filename, scenario)
    for name in the_cast.taken_for_granted:
        complain(f"{name} is in none of the files: it is taken for granted")
    if the_cast.left_out:
        complain(f"left out: {', '.join(the_cast.left_out)}")
    done = rehearse(
        the_cast,
        course,
        limit=parse_pause(limit),
        resume_after=None if resume_after is None else parse_pause(resume_after),
    )
    _show(done, output, no_color=no_color)
    if picture is not None:
        _draw(done, picture)
    complain(_conclusion(done, limit))
    raise typer.Exit(_CODES.get(done.ended.phase, UNFINISHED_CODE))


def _read(filename: list[str], scenario: str | None) -> "tuple[Cast, Course | None]":
    """Read and check everything; what is wrong is told as lint tells it."""
    from rollouts.cli.checks import findings
    from rollouts.cli.console import complain, say
    from rollouts.cli.manifests import UnreadableError, files_of, read_documents
    from rollouts.cli.rehearsal import NoCastError, cast
    from rollouts.sim.course import CourseError

    try:
        documents = [each for place in filename for file in files_of(place) for each in read_documents(file)]
        course, applied = (None, []) if scenario is None else _course(scenario)
        the_cast = cast([*documents, *applied])
    except (UnreadableError, NoCastError) as error:
        complain(f"error: {error}")
        raise typer.Exit(1) from error
    except CourseError as error:
        for problem in error.problems:
            say(f"{scenario}: {problem}")
        raise typer.Exit(1) from error
    problems = list(findings([*documents, *applied]))
    for finding in problems:
        say(str(finding))
    if problems:
        complain("nothing was simulated: the manifests have problems")
        raise typer.Exit(1)
    return replace(the_cast, changes=the_cast.changes[: len(the_cast.changes) - len(applied)]), course


def _course(scenario: str) -> "tuple[Course, list[Document]]":
    """Return a scenario, and the manifests in it."""
    from rollouts.cli.manifests import Document, UnreadableError, read_documents
    from rollouts.sim.course import Asked, read_course

    documents = list(read_documents(scenario))
    if len(documents) != 1:
        raise UnreadableError(f"{scenario}: holds {len(documents)} documents: a scenario is one")
    course = read_course(documents[0].content)
    manifests = [each.do.apply for each in course.happens if isinstance(each.do, Asked) and each.do.apply]
    return course, [Document(documents[0].file, 1, manifest) for manifest in manifests]


def _show(done: "Rehearsal", output: Form, *, no_color: bool) -> None:
    from rollouts.cli.console import as_json, open_screen, say
    from rollouts.cli.timetable import Timetable

    if output is Form.JSON:
        from rollouts.view.jsonable import jsonable

        say(as_json(jsonable(done)))
    else:
        open_screen(no_color=no_color).show(Timetable(done.frames, is_wide=output is Form.WIDE))


def _draw(done: "Rehearsal", picture: str) -> None:
    from rollouts.cli.console import complain

    try:
        from rollouts.cli.drawing import draw
    except ImportError as error:
        complain(
            f"error: --picture needs matplotlib, which is not installed ({error}): "
            "`pip install 'rollouts[simulate]'` brings it"
        )
        raise typer.Exit(1) from error
    try:
        draw(done, Path(picture))
    except OSError as error:
        complain(f"error: {picture} cannot be written: {error.strerror}")
        raise typer.Exit(1) from error


def _conclusion(done: "Rehearsal", limit: str) -> str:
    """Say how it ended, and what did not come about."""
    ended = done.ended
    after = format_duration(timedelta(seconds=ended.at))
    lines = [f"after {after} of virtual time rollout {done.name!r} is {Shown(ended.phase, ended.message)}"]
    if ended.why in _STOPPED:
        lines.append(_STOPPED[ended.why].format(limit=limit))
    return "\n".join([*lines, *(f"never happened: {each}" for each in ended.never_happened)])
