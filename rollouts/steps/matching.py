"""Does a managed route say which requests it means, in a way that a router can compare?"""

from collections.abc import Iterator

from rollouts.api.canary import StringMatch

Found = tuple[str, str]
"""A problem: the path below what is looked at, and what is wrong."""


def text_problems(path: str, match: StringMatch) -> Iterator[Found]:
    """Yield what is wrong with a comparison: it has exactly one way to compare."""
    given = [kind for kind in ("exact", "prefix", "regex") if getattr(match, kind) is not None]
    if len(given) != 1:
        names = " and ".join(given) or "nothing"
        yield path, f"sets {names}: set exactly one of exact, prefix, regex"


def text_title(match: StringMatch) -> str:
    """Return a comparison in a few words: `exact true`."""
    return next((f"{kind} {value}" for kind, value in match.model_dump(exclude_none=True).items()), "anything")
