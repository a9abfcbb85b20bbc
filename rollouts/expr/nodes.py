"""What is an expression made of? Its syntax tree; `at` is where in the source a node was met."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """nil, a boolean, a number, a text, bytes."""

    value: Any
    at: int


@dataclass(frozen=True, slots=True)
class Identifier:
    """A name: a variable of the environment or one that `let` has made."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Pointer:
    """`#` and its relatives `#index` and `#acc`: the element that a predicate looks at."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`not x`, `-x`, `+x`."""

    operator: str
    operand: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    """`x + y` and all others with two sides."""

    operator: str
    left: "Node"
    right: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Chain:
    """The end of a chain with `?.` in it: where it is nil, all of it is."""

    node: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Member:
    """`x.name`, `x[index]`, `x?.name`. `is_call` tells that it is called as a method."""

    node: "Node"
    key: "Node"
    is_optional: bool
    at: int
    is_call: bool = False


@dataclass(frozen=True, slots=True)
class Slice:
    """`x[from:to]`."""

    node: "Node"
    start: "Node | None"
    stop: "Node | None"
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """`f(x, y)` of a function from the environment."""

    callee: "Node"
    arguments: tuple["Node", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Builtin:
    """`len(x)`: a function that the language brings along."""

    name: str
    arguments: tuple["Node", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Predicate:
    """`{# > 1}`: what is asked of each element of a list."""

    node: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Let:
    """`let name = value; body`."""

    name: str
    value: "Node"
    body: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """`a; b; c`: the last one is the value."""

    nodes: tuple["Node", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """`condition ? yes : no`, or `if condition { yes } else { no }`."""

    condition: "Node"
    yes: "Node"
    no: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Array:
    """`[1, 2]`."""

    nodes: tuple["Node", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Map:
    """`{"a": 1}`: pairs of key and value."""

    pairs: tuple[tuple["Node", "Node"], ...]
    at: int


Node = (
    Literal | Identifier | Pointer | Unary | Binary | Chain | Member | Slice | Call | Builtin | Predicate | Let
    | Sequence | Conditional | Array | Map
)  # fmt: skip
