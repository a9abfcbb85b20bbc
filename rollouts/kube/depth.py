"""How deep may an object be? No deeper than what can be read, compared and copied without running out of stack.

An API server takes ten thousand levels where a schema leaves room for anything. One such object, made by whoever may
write in some namespace, must not keep all others of its kind from being read: what lies deeper is left out.
"""

import re

DEEPEST = 100
"""Levels of one object. No kind that we know has thirty."""

_BEFORE_ITEMS = 10  # an object lies in a list, or in an event
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def shallow(body: bytes) -> bytes:
    """Return JSON without what lies too deep to be read."""
    kept: list[bytes] = []
    depth = done = 0
    for token in _TOKEN.finditer(body):
        if token[0] in b"[{":
            depth += 1
            if depth == DEEPEST + _BEFORE_ITEMS:
                kept += (body[done : token.start()], b"null")
        elif token[0] in b"]}":
            if depth == DEEPEST + _BEFORE_ITEMS:
                done = token.end()
            depth -= 1
    kept.append(body[done:])
    return b"".join(kept)
