"""Do these labels match? Label selectors, as objects and as text, with the meaning Kubernetes gives them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DOMAIN = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*"
_KEY = re.compile(rf"(?:(?=[^/]{{1,253}}/){_DOMAIN}/)?{_NAME}")
_VALUE = re.compile(rf"(?:{_NAME})?")
_WORD = r"[^\s,()=!<>]+"
_REQUIREMENT = re.compile(
    rf"""\s*(?:
        !\s*(?P<absent>{_WORD})
      | (?P<key>{_WORD}) (?:
            \s*(?P<sign>==|=|!=)\s*(?P<value>{_WORD})?
          | \s+(?P<word>in|notin)\s*\((?P<values>[^()]*)\)
        )?
    )\s*(?P<end>,|$)""",
    re.VERBOSE,
)
_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}


def is_label_key(text: str) -> bool:
    """Tell whether a text can be the key of a label: a name, with or without a domain and a slash before it."""
    return _KEY.fullmatch(text) is not None


def is_label_value(text: str) -> bool:
    """Tell whether a text can be the value of a label."""
    return _VALUE.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Requirement:
    """One condition on one label. `operator` is `=`, `==`, `!=`, `in`, `notin`, `exists` or `!`."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether `labels` meet this condition."""
        value = labels.get(self.key)
        match self.operator:
            case "=" | "==" | "in":
                return value is not None and value in self.values
            case "!=" | "notin":
                return value is None or value not in self.values
            case "exists":
                return value is not None
            case _:
                return value is None

    def __str__(self) -> str:
        match self.operator:
            case "exists":
                return self.key
            case "!":
                return f"!{self.key}"
            case "in" | "notin":
                return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
            case _:
                return f"{self.key}{self.operator}{self.values[0]}"


@dataclass(frozen=True, slots=True)
class Selector:
    """Requirements that must all hold, sorted by key; without any, everything matches."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether `labels` meet every requirement."""
        return all(requirement.matches(labels) for requirement in self.requirements)

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


def read_selector(selector: Mapping[str, Any]) -> Selector:
    """Read a LabelSelector object. Raises ValueError for an operator that doesn't exist or has the wrong values."""
    labels = selector.get("matchLabels") or {}
    found = [Requirement(key, "=", (value,)) for key, value in labels.items()]
    found += [_read_expression(expression) for expression in selector.get("matchExpressions") or ()]
    return Selector(tuple(sorted(found, key=lambda requirement: requirement.key)))


def _read_expression(expression: Mapping[str, Any]) -> Requirement:
    key, operator = expression.get("key", ""), expression.get("operator", "")
    values = tuple(expression.get("values") or ())
    if operator not in _OPERATORS:
        raise ValueError(f"{operator!r} is no operator of a label selector: write {', '.join(_OPERATORS)}")
    if bool(values) != (operator in ("In", "NotIn")):
        wish = "needs at least one value" if not values else "takes no values"
        raise ValueError(f"the label selector's requirement on {key!r} is invalid: {operator} {wish}")
    return Requirement(key, _OPERATORS[operator], values)


def selector_matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Tell whether a LabelSelector object selects `labels`; an empty one selects everything. Raises ValueError."""
    return read_selector(selector).matches(labels)


def format_selector(selector: Mapping[str, Any]) -> str:
    """Write a LabelSelector object in the text form that the API takes in queries and shows in a scale."""
    return str(read_selector(selector)) or "<none>"


def parse_selector(text: str) -> Selector:
    """Read the text form, for example `app=web,tier in (a,b),!canary`. Raises ValueError that quotes `text`."""
    if not text.strip():
        return Selector()
    return Selector(tuple(sorted(_parse(text), key=lambda requirement: requirement.key)))


def _parse(text: str) -> Iterator[Requirement]:
    position = 0
    while True:
        match = _REQUIREMENT.match(text, position)
        if match is None:
            raise ValueError(
                f"{text!r} is no label selector: {text[position:].strip()!r} can't be read; "
                "write key=value, key!=value, key in (a,b), key notin (a,b), key or !key, with commas between"
            )
        yield _checked(text, _requirement(match))
        position = match.end()
        if match["end"] != ",":
            return


def _requirement(match: re.Match[str]) -> Requirement:
    if match["absent"]:
        return Requirement(match["absent"], "!")
    if match["sign"]:
        return Requirement(match["key"], match["sign"], (match["value"] or "",))
    if match["word"]:
        values = {value.strip() for value in match["values"].split(",")}
        return Requirement(match["key"], match["word"], tuple(sorted(values)))
    return Requirement(match["key"], "exists")


def _checked(text: str, requirement: Requirement) -> Requirement:
    if not is_label_key(requirement.key):
        raise ValueError(f"{text!r} is no label selector: {requirement.key!r} is no label key")
    for value in requirement.values:
        if not is_label_value(value):
            raise ValueError(f"{text!r} is no label selector: {value!r} is no label value")
    return requirement
