"""`rollouts lint -f FILE`: what is wrong with these manifests? All of it, before a cluster sees them."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rollouts.cli.manifests import Document


def lint(
    filename: Annotated[
        list[str],
        typer.Option(
            "--filename", "-f", metavar="FILE", help="A manifest file, a directory of them, or - for stdin; repeatable."
        ),
    ],
) -> None:
    """Check manifests without a cluster: every problem with its field, value and way out."""
    from rollouts.cli.checks import findings, is_ours, remarks
    from rollouts.cli.console import complain, say
    from rollouts.cli.manifests import UnreadableError, files_of, read_documents

    documents: list[Document] = []
    unreadable = 0
    for file in (file for place in filename for file in files_of(place)):
        try:
            documents += read_documents(file)
        except UnreadableError as error:
            complain(f"error: {error}")
            unreadable += 1
    found = list(findings(documents))
    for finding in found:
        say(str(finding))
    for remark in remarks(documents):
        complain(f"note: {remark}")
    checked = sum(1 for each in documents if is_ours(each.content))
    total = len(found) + unreadable
    if not documents and not total:
        # An empty file is what a template that went wrong leaves behind: no check is no pass.
        complain(f"error: no object found in {', '.join(filename)}: nothing was checked")
        raise typer.Exit(1)
    left = len(documents) - checked
    others = f" ({_count(left, 'object')} of other kinds left alone)" if left else ""
    complain(f"{_count(checked, 'object')} checked{others}: {_count(total, 'problem') if total else 'no problem'}")
    if total:
        raise typer.Exit(1)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
