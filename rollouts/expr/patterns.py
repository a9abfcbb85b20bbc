"""How are regular expressions matched in linear time, whatever they and the text are?

The language means RE2's. Python's own `re` can take exponential time, so a pattern from a template never meets it.
"""

from functools import lru_cache
from typing import Any

import re2

from rollouts.expr.errors import Failure

_MAX_MEMORY = 8 << 20


def _options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    # Nobody asks for groups. To find them takes hundreds of times as long, and grows with the pattern.
    options.never_capture = True
    return options


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Any:
    """Return a compiled pattern. Raises Failure when it is none."""
    try:
        return re2.compile(pattern, options=_options())
    except re2.error as error:
        (reason,) = error.args
        text = reason.decode() if isinstance(reason, bytes) else str(reason)
        raise Failure(f"error parsing regexp: {text}") from None


def matches(text: str | bytes, pattern: str) -> bool:
    """Tell whether a pattern occurs anywhere in a text. Raises Failure."""
    return compiled(pattern).search(text) is not None
