"""How are arguments given, as NAME=VALUE, and which of them does nobody declare?"""

from collections.abc import Iterable, Mapping, Sequence

from rollouts.cli.errors import CommandError


def read_pairs(option: str, written: Sequence[str] | None) -> dict[str, str]:
    """Read NAME=VALUE. Raises CommandError, which never shows a value."""
    pairs: dict[str, str] = {}
    for each in written or ():
        name, equals, value = each.partition("=")
        if not name or not equals:
            raise CommandError(f"{option}: write NAME=VALUE")
        pairs[name] = value
    return pairs


def refuse_unknown(option: str, args: Mapping[str, str], declared: Iterable[str]) -> None:
    """Raise CommandError for an argument that no template declares: it would have no effect."""
    strange = sorted(set(args) - set(declared))
    if strange:
        known = ", ".join(sorted(declared)) or "none"
        raise CommandError(f"{option} {strange[0]}: no such argument; declared are {known}")
