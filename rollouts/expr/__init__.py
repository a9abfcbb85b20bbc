"""What does a condition such as `result[0] >= 0.95` mean? The language of successCondition and failureCondition.

It is expr-lang (https://expr-lang.org), in the version 1.17 that people's templates are written for: its syntax, its
static checks, its run-time errors with their positions. An expression can neither hang nor eat memory: `Budget` limits
its steps and what it builds, and regular expressions run in linear time.
"""

from rollouts.expr.budget import Budget
from rollouts.expr.errors import BudgetExceeded, ExpressionError
from rollouts.expr.program import Program, compile_condition, compile_expression, evaluate
from rollouts.expr.values import Duration, Floats, Int64, Moment, go_text, go_type

__all__ = [
    "Budget",
    "BudgetExceeded",
    "Duration",
    "ExpressionError",
    "Floats",
    "Int64",
    "Moment",
    "Program",
    "compile_condition",
    "compile_expression",
    "evaluate",
    "go_text",
    "go_type",
]
