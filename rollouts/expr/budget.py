"""How much may an expression do before it is stopped?"""

from collections.abc import Mapping
from typing import Any

from rollouts.expr.errors import BudgetExceeded

MAX_STEPS = 500_000
MAX_ELEMENTS = 1_000_000
MAX_CHARACTERS = 10_000_000
CHARACTERS_A_STEP = 64
SEARCHED_A_STEP = 256
"""Characters of a text that is searched or compared, which is quicker than to build one."""


class Budget:
    """What is left for one evaluation: steps, elements of lists and maps that it builds, characters of its texts."""

    def __init__(self, steps: int = MAX_STEPS, elements: int = MAX_ELEMENTS, characters: int = MAX_CHARACTERS) -> None:
        self._steps = steps
        self._elements = elements
        self._characters = characters

    def step(self) -> None:
        """Take one step. Raises BudgetExceeded."""
        self.steps(1)

    def steps(self, count: int) -> None:
        """Take many steps at once. Raises BudgetExceeded."""
        self._steps -= count
        if self._steps < 0:
            raise BudgetExceeded("step budget exceeded: the expression goes over too many elements")

    def elements(self, count: int) -> None:
        """Build a list or map of `count` elements. Raises BudgetExceeded."""
        self._elements -= count
        if self._elements <= 0:
            raise BudgetExceeded("memory budget exceeded")

    def characters(self, count: int) -> None:
        """Build a text of `count` characters. Raises BudgetExceeded."""
        self._characters -= count
        if self._characters < 0:
            raise BudgetExceeded("memory budget exceeded")

    def look_at(self, *values: Any) -> None:
        """Take a step for everything in values, as often as it occurs in them. Raises BudgetExceeded.

        A list that holds another one twice is built in one step, but whoever prints or compares it meets it twice.
        """
        self.steps(sum(len(value) // SEARCHED_A_STEP for value in values if isinstance(value, str | bytes)))
        waiting = [value for value in values if isinstance(value, list | Mapping)]
        while waiting:
            value = waiting.pop()
            self.steps(len(value))
            parts = value.values() if isinstance(value, Mapping) else value
            for part in parts:
                if isinstance(part, list | Mapping):
                    waiting.append(part)
                elif isinstance(part, str):
                    self.steps(len(part) // CHARACTERS_A_STEP)
