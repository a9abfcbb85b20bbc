"""What is wrong with an expression, and where?"""


class ExpressionError(Exception):
    """An expression that can't be compiled, or that failed while it ran.

    `at` counts characters from the beginning of the source; `line` and `column` count from 1, as editors do.
    """

    def __init__(self, message: str, source: str = "", at: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.at = at

    @property
    def line(self) -> int:
        return self.source.count("\n", 0, self.at or 0) + 1

    @property
    def column(self) -> int:
        begin = self.source.rfind("\n", 0, self.at or 0) + 1
        return (self.at or 0) - begin + 1

    @property
    def snippet(self) -> str:
        """The line in question with a mark below the place; empty where the place isn't known."""
        line = self.source.split("\n")[self.line - 1] if self.at is not None else ""
        return f"{line.replace(chr(9), ' ')}\n{' ' * (self.column - 1)}^" if line else ""

    def __str__(self) -> str:
        has_place = self.at is not None and bool(self.source.split("\n")[self.line - 1])
        return f"{self.message} ({self.line}:{self.column})" if has_place else self.message


class BudgetExceeded(ExpressionError):  # noqa: N818 - the words that people search for
    """The expression wanted more steps or more memory than it may have."""


class Failure(Exception):  # noqa: N818 - caught by the evaluator, which knows the place
    """An operation that can't be done; the evaluator adds the place in the source."""
