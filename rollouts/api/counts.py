"""Which number does an annotation tell? Anybody may write there, so that anything may stand there."""

import re

# Not str.isdigit: that takes "²", which is no number to int(), and thousands of digits, which int() refuses to read.
_COUNT = re.compile(r"\d{1,18}", re.ASCII)


def parse_count(text: str) -> int | None:
    """Read a count in decimal digits; None where the text is anything else."""
    return int(text) if _COUNT.fullmatch(text) else None
