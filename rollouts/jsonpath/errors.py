"""How does a template fail, in its text or on a document?"""

from __future__ import annotations

from typing import Any


class JSONPathError(ValueError):
    """A template that cannot be compiled or does not fit the document. The text is the one that kubectl prints."""


class JSONPathLimitError(JSONPathError):
    """A template or a document that asks for more work than we are willing to do."""


class SelectionError(JSONPathError):
    """A step of a path failed.

    It carries the values at hand, because the existence test of a filter looks at them and not at the error:
    `[?(@.a[9])]` keeps every item whose `a` is a list, however short.
    """

    def __init__(self, message: str, values: list[Any]) -> None:
        super().__init__(message)
        self.values = values
