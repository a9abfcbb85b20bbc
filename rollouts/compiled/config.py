"""Which compiled plugins are configured, in the ConfigMap that Argo Rollouts reads, and what is wrong with the rest?"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from rollouts.ports.compiled import CompiledKind

CONFIG_MAP = "argo-rollouts-config"

_KEYS = {
    "trafficRouterPlugins": CompiledKind.ROUTER,
    "metricProviderPlugins": CompiledKind.METRIC,
    "stepPlugins": CompiledKind.STEP,
}
_NAME = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, extra="forbid")


class _SecretRef(_Read):
    name: str


class _HeadersFrom(_Read):
    secret_ref: _SecretRef


class _Item(_Read):
    name: str
    location: str
    sha256: str = ""
    args: tuple[str, ...] = ()
    disabled: bool = False
    headers_from: tuple[_HeadersFrom, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A plugin: where its program is, what is in it, and with what it is started.

    `headers_from` are Secrets, in the controller's namespace, whose values are sent as headers where it is fetched.
    """

    kind: CompiledKind
    name: str
    location: str
    sha256: str = ""
    args: tuple[str, ...] = ()
    headers_from: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}"


@dataclass(frozen=True, slots=True)
class Config:
    """All entries that make sense. `disabled` are step plugins that are switched off.

    `broken` has a sentence for each name that can't be used, `troubles` are about the whole.
    """

    entries: tuple[Entry, ...] = ()
    disabled: frozenset[str] = frozenset()
    broken: Mapping[str, str] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()


class _EntryError(ValueError):
    """What is wrong with an entry, and the way out."""


def read_config(data: Mapping[str, str], config_map: str = CONFIG_MAP) -> Config:
    """Return what a ConfigMap's data say. A mistake hurts its own entry only."""
    entries: dict[tuple[CompiledKind, str], Entry] = {}
    disabled: set[str] = set()
    broken: dict[str, str] = {}
    troubles: list[str] = []
    for key, kind in _KEYS.items():
        where = f"ConfigMap {config_map}, {key}"
        for place, item in _items(data.get(key, ""), where, troubles):
            name = _name(item)
            try:
                entry = _entry(item, kind)
            except _EntryError as error:
                trouble = f"{place} {error}"
                if name:
                    broken[name] = trouble
                else:
                    troubles.append(trouble)
                continue
            if entry is None:
                disabled.add(name)
            elif (kind, name) in entries:
                broken[name] = f"{place} is there twice: remove one of the two"
            else:
                entries[kind, name] = entry
    sound = tuple(each for each in entries.values() if each.name not in broken)
    return Config(sound, frozenset(disabled), broken, tuple(troubles))


def _items(text: str, where: str, troubles: list[str]) -> Iterator[tuple[str, Any]]:
    """Yield each entry of a list in YAML, with where it stands."""
    try:
        listed = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        troubles.append(f"{where} is no YAML{f' (line {mark.line + 1})' if mark is not None else ''}: mend it")
        return
    if listed is None:
        return
    if not isinstance(listed, list):
        troubles.append(f"{where} must be a list of plugins, each with name and location")
        return
    for index, item in enumerate(listed):
        name = _name(item)
        yield f"{where}[{index}]{f' ({name})' if name else ''}:", item


def _name(item: Any) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else ""


def _entry(item: Any, kind: CompiledKind) -> Entry | None:
    """Read an entry; None where it is a step plugin that is switched off. Raises _EntryError."""
    if not isinstance(item, dict):
        raise _EntryError("must have a name and a location")
    try:
        read = _Item.model_validate(item)
    except ValidationError as error:
        # Without the values: somebody may have written a password into a field that there isn't.
        wrong = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise _EntryError("; ".join(wrong)) from None
    if not _NAME.fullmatch(read.name):
        raise _EntryError(f'the name "{read.name}" must be like "namespace/name"')
    if read.disabled:
        if kind is CompiledKind.STEP:
            return None
        raise _EntryError("is disabled: set disabled to false to use it")
    _check_location(read)
    secrets = tuple(each.secret_ref.name for each in read.headers_from)
    return Entry(kind, read.name, read.location, read.sha256.lower(), read.args, secrets)


def _check_location(read: _Item) -> None:
    scheme, separator, rest = read.location.partition("://")
    if not separator or scheme not in {"file", "http", "https"} or not rest:
        raise _EntryError(f'the location "{read.location}" must begin with file:// or https://')
    if scheme != "file" and "@" in rest.partition("/")[0]:
        raise _EntryError("the location holds credentials: put them into a Secret, and name it in headersFrom")
    if read.sha256 and not _SHA256.fullmatch(read.sha256):
        raise _EntryError("sha256 must have 64 hexadecimal digits: `sha256sum` prints them")
    if scheme == "http" and not read.sha256:
        raise _EntryError("over http:// anybody on the way may exchange the program: give its sha256, or use https://")
    if scheme == "http" and read.headers_from:
        raise _EntryError("headersFrom over http:// would show the Secret to anybody on the way: use https://")
