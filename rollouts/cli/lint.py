"""`rollouts lint -f FILE`: what is wrong with these manifests? All of it, before a cluster sees them."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rollouts.cli.manifests import Document


def lint(
    filename: Annotated[
        list[str], typer.Option("--filename", "-f", metavar="FILE", help="A manifest file, or - for stdin; repeatable.")
    ],
) -> None:
    """Check manifests without a cluster: every problem with its field, value and way out."""
    from rollouts.cli.checks import findings, is_ours
    from rollouts.cli.console import complain, say
    from rollouts.cli.manifests import UnreadableError, read_documents

    documents: list[Document] = []
    unreadable = 0
    for file in filename:
        try:
            documents += read_documents(file)
        except UnreadableError as error:
            complain(f"error: {error}")
            unreadable += 1
    found = list(findings(documents))
    for finding in found:
        say(str(finding))
    checked = sum(1 for each in documents if is_ours(each.content))
    total = len(found) + unreadable
    complain(f"{_count(checked, 'object')} checked: {_count(total, 'problem') if total else 'no problem'}")
    if total:
        raise typer.Exit(1)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
