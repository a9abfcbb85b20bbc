"""How do rows of text stand under each other, also when more of them come later?"""

from collections.abc import Iterable, Sequence

_GAP = 3


class Columns:
    """Left-aligned columns that only ever grow wider."""

    def __init__(self, header: Sequence[str]) -> None:
        self._header = header
        self._widths = [len(title) for title in header]
        self._header_is_due = True

    def lines(self, rows: Iterable[Sequence[str]]) -> list[str]:
        """Return the rows as lines, the first time below the header."""
        block = list(rows)
        if self._header_is_due:
            block.insert(0, self._header)
            self._header_is_due = False
        for row in block:
            self._widths = [max(width, len(cell)) for width, cell in zip(self._widths, row, strict=True)]
        return [
            "".join(cell.ljust(width + _GAP) for cell, width in zip(row, self._widths, strict=True)).rstrip()
            for row in block
        ]
