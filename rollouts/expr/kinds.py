"""What is known of a value's type before the expression runs?

A template that compares a text with a number is wrong before any metric has been measured. What can't be known (an
element of a JSON list) is UNKNOWN and waits for the run.
"""

from dataclasses import dataclass
from typing import Any

from rollouts.expr.values import Function, go_type


@dataclass(frozen=True, slots=True)
class Kind:
    """A static type: its Go name, what a list or map holds, and for a function what it takes and returns."""

    name: str
    element: "Kind | None" = None
    function: Function | None = None

    def __str__(self) -> str:
        return "unknown" if self.name in ("unknown", "nil") else self.name

    @property
    def is_unknown(self) -> bool:
        return self.name in ("unknown", "interface {}")

    @property
    def is_nil(self) -> bool:
        return self.name == "nil"

    @property
    def is_integer(self) -> bool:
        return self.name in ("int", "int64", "uint8")

    @property
    def is_number(self) -> bool:
        return self.is_integer or self.name == "float64"

    @property
    def is_list(self) -> bool:
        return self.name.startswith("[")

    @property
    def is_map(self) -> bool:
        return self.name.startswith("map[")

    @property
    def elements(self) -> "Kind":
        """The type of what a list or map holds."""
        if self.element is not None:
            return self.element
        name = self.name.split("]", 1)[1] if self.is_list or self.is_map else "unknown"
        return Kind("unknown" if name == "interface {}" else name)

    @property
    def keys(self) -> "Kind":
        """The type of a map's keys."""
        return UNKNOWN if self.name.startswith("map[interface") else STRING

    @property
    def group(self) -> str:
        """What it counts as where operators choose: number, string, bool, time, duration, list, map."""
        if self.is_number:
            return "number"
        if self.is_list:
            return "list"
        return "map" if self.is_map else self.name

    def is_assignable_to(self, other: "Kind") -> bool:
        """Whether a value of this type can be given where the other one is asked for."""
        if self.is_nil:
            return other.is_list or other.is_map or other.name == "interface {}"
        if self.name == "unknown" or other.name == "unknown":
            return False
        return other.name in (self.name, "interface {}")

    def is_comparable_to(self, other: "Kind") -> bool:
        """Whether `==` between the two can mean anything."""
        if self.is_unknown or other.is_unknown or self.is_nil or other.is_nil:
            return True
        return (self.is_number and other.is_number) or (self.is_list and other.is_list) or self.name == other.name

    def may_go_with(self, other: "Kind", *groups: str) -> bool:
        """Whether the run must tell: one side isn't known, and the other is of one of the groups, or isn't either."""
        if self.is_unknown:
            return other.is_unknown or other.group in groups
        return other.is_unknown and self.group in groups


UNKNOWN = Kind("unknown")
NIL = Kind("nil")
BOOL = Kind("bool")
INT = Kind("int")
FLOAT = Kind("float64")
STRING = Kind("string")
LIST = Kind("[]interface {}")
MAP = Kind("map[string]interface {}")
ANY_MAP = Kind("map[interface {}]interface {}")
TIME = Kind("time.Time")
DURATION = Kind("time.Duration")


def list_of(element: Kind) -> Kind:
    """Return the type of a list whose elements are known better than its own type tells."""
    return Kind(LIST.name, element)


def kind_of(value: Any) -> Kind:
    """Return what is known of a value of the environment; where it will come later, its Kind stands for it."""
    if isinstance(value, Kind):
        return value
    if value is None:
        return NIL
    if isinstance(value, Function):
        return Kind(f"func({', '.join(value.parameters)}) {value.result}", function=value)
    return Kind(go_type(value))
