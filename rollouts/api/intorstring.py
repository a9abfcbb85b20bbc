"""What count do maxSurge and maxUnavailable stand for? Percentages are of spec.replicas.

The API reads every *string* here as a percentage, with or without a percent sign: "25" is 25 %, 25 is 25 pods.
"""

import re

_PERCENT = re.compile(r"[0-9]+%?", re.ASCII)


def percentage(value: str) -> int:
    """Read a string as a percentage, percent sign or not. Raises ValueError."""
    if len(value) > 12 or not _PERCENT.fullmatch(value):
        raise ValueError(f"{value!r} is no percentage: write a whole number of pods, or a percentage as in '25%'")
    return int(value.removesuffix("%"))


def resolve(value: int | str, total: int, *, round_up: bool) -> int:
    """Return the count that `value` means for `total` pods. Raises ValueError."""
    if isinstance(value, int):
        return value
    product = percentage(value) * total
    return -(-product // 100) if round_up else product // 100


def validate_int_or_percent(value: int | str, *, at_most_100: bool = False) -> str | None:
    """Say what is wrong with `value`, and the way out; None means that it can be resolved.

    `at_most_100` forbids more than 100 %, for a share of something that is there.
    """
    if isinstance(value, int):
        return f"{value} is negative: write 0 or more" if value < 0 else None
    if value.startswith("-"):
        return f"{value!r} is negative: write 0% or more"
    try:
        percent = percentage(value)
    except ValueError as error:
        return str(error)
    if at_most_100 and percent > 100:
        return f"{value!r} is more than 100%: write at most '100%'"
    return None
