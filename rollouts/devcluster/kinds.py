"""Which kinds are served at the moment, and under which names?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rollouts.devcluster.objects import Object
    from rollouts.devcluster.schema import Validator


@dataclass(frozen=True, slots=True)
class ScalePaths:
    """Where the scale subresource finds its three values."""

    spec: tuple[str, ...]
    status: tuple[str, ...]
    selector: tuple[str, ...] | None


@dataclass(frozen=True, eq=False)
class Kind:
    """One version of one resource type."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    schema: Object
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    has_status: bool = False
    has_generation: bool = False
    scale: ScalePaths | None = None
    columns: tuple[Object, ...] = ()
    custom: bool = False
    storage_version: str = ""
    validator: Validator | None = None

    @cached_property
    def resource(self) -> str:
        """The plural name with its group: what messages call it, and under which objects of all versions are kept."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @cached_property
    def api_version(self) -> str:
        """The apiVersion that its objects carry."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @cached_property
    def stored_api_version(self) -> str:
        """The apiVersion under which its objects are kept."""
        version = self.storage_version or self.version
        return f"{self.group}/{version}" if self.group else version

    @property
    def list_kind(self) -> str:
        """The kind of a list of its objects."""
        return f"{self.kind}List"

    @property
    def singular_name(self) -> str:
        """The name of one object on a command line."""
        return self.singular or self.kind.lower()

    def present(self, obj: Object) -> Object:
        """Show a stored object in this version."""
        return obj if obj["apiVersion"] == self.api_version else {**obj, "apiVersion": self.api_version}


class Kinds:
    """The kinds that are served: the built-in ones, and what custom resource definitions add."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self._groups: dict[str, list[str]] = {}
        self._named: dict[tuple[str, str], Kind] = {}
        for kind in kinds:
            self.add(kind)

    def add(self, kind: Kind) -> None:
        """Serve a kind, or serve it anew."""
        self._kinds[kind.group, kind.version, kind.plural] = kind
        self._index()

    def drop(self, resource: str) -> None:
        """Stop serving every version of a resource."""
        self._kinds = {key: kind for key, kind in self._kinds.items() if kind.resource != resource}
        self._index()

    def _index(self) -> None:
        groups: dict[str, list[str]] = {}
        for group, version, _ in self._kinds:
            versions = groups.setdefault(group, [])
            if version not in versions:
                versions.append(version)
        self._groups = groups
        self._named = {(each.api_version, each.kind): each for each in self._kinds.values()}

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """Return the kind behind a path, if it is served."""
        return self._kinds.get((group, version, plural))

    def by_name(self, api_version: str, kind: str) -> Kind | None:
        """Return the kind that an object names, if it is served."""
        return self._named.get((api_version, kind))

    def groups(self) -> dict[str, list[str]]:
        """Return the versions of each group, the preferred one first."""
        return self._groups

    def of(self, group: str, version: str) -> list[Kind]:
        """Return the kinds of one group version."""
        return [kind for key, kind in self._kinds.items() if key[:2] == (group, version)]

    def resources(self) -> list[Kind]:
        """Return one kind per resource: its first version."""
        return list({kind.resource: kind for kind in reversed(list(self._kinds.values()))}.values())
