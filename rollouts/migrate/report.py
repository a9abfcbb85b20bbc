"""How is a migration told? What changes, what is lost, what to mind, and the steps with their commands."""

from collections.abc import Iterator

from rollouts.migrate.commands import commands, file_of
from rollouts.migrate.documents import Conversion, Move, counterpart_name
from rollouts.migrate.notes import About
from rollouts.migrate.objects import DEPLOYMENT, ROLLOUT, namespace_of, title
from rollouts.migrate.steps import Create, Stuck


def report(conversion: Conversion, *, directory: str = "", is_live: bool = False) -> str:
    """Return the report; `is_live` where sizes are those of the cluster."""
    parts = ["\n".join(_move(move, directory, is_live=is_live)) for move in conversion.moves]
    return "\n\n".join(parts)


def _move(move: Move, directory: str, *, is_live: bool) -> Iterator[str]:
    kind = DEPLOYMENT if move.wish.is_reverse else ROLLOUT
    where = f" in namespace {namespace_of(move.workload)}" if namespace_of(move.workload) else ""
    yield f"{title(move.workload)} -> {kind} {counterpart_name(move.workload)}{where}"
    for about in About:
        texts = [note.text for note in move.notes if note.about is about]
        if texts:
            yield f"\n{about.value}"
            yield from (f"  - {text}" for text in texts)
    yield "\nSteps"
    for number, step in enumerate(move.course.steps, start=1):
        yield f"  {number}. {step.title}"
        if isinstance(step, Create) and not directory:
            yield f"     # {file_of(step.obj)}: this object of the output, as --output-dir writes it"
        yield from (f"     {line}" for line in commands(step, directory=directory, is_live=is_live))
    yield from _end(move)


def _end(move: Move) -> Iterator[str]:
    end = move.course.end
    if isinstance(end, Stuck):
        yield f"  It stops here: {end.why}."
        yield f"  What to do: {end.way_out}"
    else:
        yield f"  Then: {end.said}."
