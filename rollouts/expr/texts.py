"""Which functions work on texts?"""

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from rollouts.expr.budget import MAX_CHARACTERS
from rollouts.expr.errors import Failure
from rollouts.expr.operators import as_int
from rollouts.expr.values import Duration, Moment, Texts, go_text, go_type
from rollouts.jsonpath.gotext import float_text, json_float, quoted

MAX_REPEAT = 1_000_000
_SPACE = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def text(value: Any) -> str:
    """Return a text argument; what is none fails as a Go conversion does."""
    if not isinstance(value, str):
        raise Failure(f"interface conversion: interface {{}} is {_interface(value)}, not string")
    return value


def _interface(value: Any) -> str:
    return "nil" if value is None else go_type(value)


def _afford(characters: int) -> None:
    """Refuse a text that no budget has room for, before it is built."""
    if characters > MAX_CHARACTERS:
        raise Failure("memory budget exceeded")


def trim(value: Any, characters: Any = None) -> str:
    """Cut spaces, or the characters given, from both ends."""
    return text(value).strip(_SPACE if characters is None else text(characters)) if characters != "" else text(value)


def split(value: Any, separator: Any, limit: Any = -1) -> Texts:
    """Split at a separator; into no more than `limit` parts."""
    return Texts(_parts(text(value), text(separator), as_int(limit), keep=False))


def split_after(value: Any, separator: Any, limit: Any = -1) -> Texts:
    """Split after a separator, which stays at the end of each part."""
    return Texts(_parts(text(value), text(separator), as_int(limit), keep=True))


def _parts(value: str, separator: str, limit: int, *, keep: bool) -> list[str]:
    if limit == 0:
        return []
    if not separator:
        whole = list(value)
        return whole if limit < 0 or len(whole) <= limit else [*whole[: limit - 1], "".join(whole[limit - 1 :])]
    parts = value.split(separator, -1 if limit < 0 else limit - 1)
    return [each + separator for each in parts[:-1]] + parts[-1:] if keep else parts


def replaced(value: Any, old: Any, new: Any, count: Any = -1) -> str:
    """Replace one text by another, `count` times."""
    times = as_int(count)
    whole, found = text(value), text(value).count(text(old))
    _afford(len(whole) + len(text(new)) * (found if times < 0 else min(times, found)))
    return whole.replace(old, new, times if times >= 0 else -1)


def repeated(value: Any, count: Any) -> str:
    """Repeat a text."""
    times = as_int(count)
    if times < 0:
        raise Failure(f"invalid argument for repeat (expected positive integer, got {times})")
    if times > MAX_REPEAT:
        raise Failure("memory budget exceeded")
    _afford(times * len(text(value)))
    return str(value) * times


def joined(values: Any, glue: Any = "") -> str:
    """Join the texts of a list."""
    if not isinstance(values, list):
        raise Failure(f"invalid argument for join (type {go_type(values)})")
    _afford(sum(len(text(each)) + len(text(glue)) for each in values))
    return text(glue).join(values)


def _index(value: Any, part: Any) -> int:
    return _in_bytes(text(value), text(value).find(text(part)))


def _last_index(value: Any, part: Any) -> int:
    return _in_bytes(text(value), text(value).rfind(text(part)))


def _in_bytes(value: str, index: int) -> int:
    return len(value[:index].encode()) if index > 0 else index


def to_json(value: Any) -> str:
    """Return a value as indented JSON, as Go writes it."""
    return "".join(_json(value, 0))


def _json(value: Any, depth: int) -> list[str]:
    if depth > 200:
        raise Failure("recursion depth exceeded")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise Failure(f"json: unsupported type: {go_type(value)}")
        pieces = [[quoted(key), ": ", *_json(value[key], depth + 1)] for key in sorted(value)]
        return _block("{", "}", pieces, depth)
    if isinstance(value, list):
        return _block("[", "]", [_json(each, depth + 1) for each in value], depth)
    return [_json_scalar(value)]


def _block(opening: str, closing: str, pieces: list[list[str]], depth: int) -> list[str]:
    if not pieces:
        return [opening + closing]
    lines = [opening]
    for position, piece in enumerate(pieces):
        lines += [",\n" if position else "\n", "  " * (depth + 1), *piece]
    return [*lines, "\n", "  " * depth, closing]


def _json_scalar(value: Any) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            raise Failure(f"json: unsupported value: {float_text(value)}")
        return json_float(value)
    if value is None or isinstance(value, bool | int | Duration):
        return json.dumps(value.nanoseconds if isinstance(value, Duration) else value)
    if isinstance(value, bytes):
        return quoted(base64.b64encode(value).decode())
    return quoted(value.at.isoformat().replace("+00:00", "Z") if isinstance(value, Moment) else text(value))


def from_json(value: Any) -> Any:
    """Read JSON."""
    try:
        return json.loads(text(value), parse_int=float, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Failure(f"invalid JSON: {error}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"invalid literal {name}")


def _to_base64(value: Any) -> str:
    return base64.b64encode(text(value).encode("utf-8", "surrogateescape")).decode()


def _from_base64(value: Any) -> str:
    try:
        plain = base64.b64decode(text(value).replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        raise Failure("illegal base64 data") from None
    return plain.decode("utf-8", "surrogateescape")


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "string": go_text,
    "trim": trim,
    "trimPrefix": lambda value, prefix=" ": text(value).removeprefix(text(prefix)),
    "trimSuffix": lambda value, suffix=" ": text(value).removesuffix(text(suffix)),
    "upper": lambda value: text(value).upper(),
    "lower": lambda value: text(value).lower(),
    "split": split,
    "splitAfter": split_after,
    "replace": replaced,
    "repeat": repeated,
    "join": joined,
    "indexOf": _index,
    "lastIndexOf": _last_index,
    "hasPrefix": lambda value, prefix: text(value).startswith(text(prefix)),
    "hasSuffix": lambda value, suffix: text(value).endswith(text(suffix)),
    "toJSON": to_json,
    "fromJSON": from_json,
    "toBase64": _to_base64,
    "fromBase64": _from_base64,
}
