"""What is wrong with an object that somebody is about to apply? Shape first, then meaning, then what it refers to."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import orjson
from pydantic import ValidationError

from rollouts.api import names, unknown
from rollouts.api.base import field_path
from rollouts.api.rollout import parse_rollout
from rollouts.api.services import service_names
from rollouts.cli.analysis_checks import KINDS, Templates, analysis_problems
from rollouts.cli.analysis_remarks import analysis_remarks
from rollouts.cli.manifests import Document
from rollouts.cli.route_remarks import route_remarks, session_remarks
from rollouts.cli.router_documents import is_about, objects_read, of_its_kind, wanted
from rollouts.guard import in_time
from rollouts.plan.problem import Problem
from rollouts.plan.validate import problems
from rollouts.plan.workload import API_VERSIONS, Reference, reference_in
from rollouts.ports import Kit
from rollouts.ports import Reference as Place
from rollouts.ports.checked import PluginError
from rollouts.registry import load_kit
from rollouts.view import fields

Raw = Mapping[str, Any]

API_KINDS = frozenset(each.name for each in names.KINDS)
_LONGEST_VALUE = 60
_PATH_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
# What stands there when only the kind of a Deployment was changed.
_MISTAKEN_GROUPS = frozenset({"apps", "v1"})
_BY_LOWER = {each.lower(): each for each in API_KINDS}

# A Service that is in none of the files may well be in the cluster: this one passes every check.
_TAKEN_FOR_GRANTED: Mapping[str, Any] = {"metadata": {}, "spec": {}}


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem of one object: where, what is there, and what to do about it."""

    document: Document
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.document.file}:{self.document.number}: {self.document.title}: {self.path}"
        value = value_at(self.document.content, self.path)
        word = re.escape(value.strip('"'))
        is_told = not value or re.search(rf"(?<![\w.]){word}(?![\w.])", self.message)
        return f"{where}: {self.message}" if is_told else f"{where} = {value}: {self.message}"


def value_at(content: Mapping[str, Any], path: str) -> str:
    """Return what stands at a path, as JSON; an empty string where nothing does, or where it is long."""
    here: Any = content
    for key, index in _PATH_PART.findall(path):
        if isinstance(here, Mapping) and key:
            here = here.get(key)
        elif isinstance(here, list) and index and int(index) < len(here):
            here = here[int(index)]
        else:
            return ""
    text = "" if here is None else orjson.dumps(here).decode()
    return text if len(text) <= _LONGEST_VALUE else ""


def is_ours(content: Mapping[str, Any]) -> bool:
    """Whether the object is of one of our kinds, or meant to be: other groups have Rollouts as well."""
    group = str(content.get("apiVersion") or names.GROUP).partition("/")[0]
    return content.get("kind") in API_KINDS and (group in _MISTAKEN_GROUPS or _is_near(group, names.GROUP))


def _is_near(text: str, meant: str) -> bool:
    return bool(get_close_matches(text, [meant], cutoff=0.85))


def _nearest_kind(content: Mapping[str, Any]) -> str:
    """Return the kind that is misspelt here, or nothing: our group has kinds that aren't ours, too."""
    group, kind = str(content.get("apiVersion")).partition("/")[0], str(content.get("kind"))
    near = get_close_matches(kind.lower(), _BY_LOWER, n=1, cutoff=0.85)
    return _BY_LOWER[near[0]] if near and group == names.GROUP and kind not in API_KINDS else ""


@dataclass(frozen=True, slots=True)
class _Others:
    """What objects may refer to. `users` collects, by namespace and Service, the Rollout that named it first."""

    services: Mapping[str, Raw]
    workloads: Mapping[Reference, Raw]
    templates: Templates
    documents: Sequence[Document]
    users: dict[tuple[str, str], str] = field(default_factory=dict)

    @classmethod
    def among(cls, documents: Sequence[Document]) -> "_Others":
        services: dict[str, Raw] = {}
        workloads: dict[Reference, Raw] = {}
        for content in (each.content for each in documents):
            kind, name = str(content.get("kind")), fields.name_of(content)
            if kind == "Service" and content.get("apiVersion") == "v1":
                services[name] = content
            elif content.get("apiVersion") == API_VERSIONS.get(kind):
                workloads[Reference(kind, name)] = content
        ours = (each.content for each in documents if is_ours(each.content))
        return cls(services, workloads, Templates.among(ours), documents)

    def like(self, place: Place) -> list[str]:
        """Return the names of other objects of the same kind."""
        return of_its_kind(place, self.documents)

    def workload_of(self, raw: Raw) -> Raw | None:
        """Return what a Rollout refers to; what is in none of the files may well be in the cluster."""
        reference = reference_in(raw)
        if reference is None:
            return None
        granted: Raw = {**_TAKEN_FOR_GRANTED, "kind": reference.kind}
        return self.workloads.get(reference, granted)


def findings(documents: Sequence[Document]) -> Iterator[Finding]:
    """Yield all problems; the documents may refer to each other."""
    others = _Others.among(documents)
    for document in documents:
        if is_ours(document.content):
            yield from _of_object(document, others)
        elif meant := _nearest_kind(document.content):
            yield Finding(document, "kind", f"is no kind of this API: did you mean {meant}?")


def remarks(documents: Sequence[Document]) -> Iterator[Finding]:
    """Yield what is no problem, but left unchecked or without effect: what is in none of the documents, for one."""
    others = _Others.among(documents)
    for document in documents:
        if not is_ours(document.content):
            continue
        reference = reference_in(document.content)
        if reference is not None and reference not in others.workloads:
            message = f"{reference} is in none of these files: the pod template is not checked"
            yield Finding(document, "spec.workloadRef.name", message)
        for remark in (*analysis_remarks(document.content, others.templates), *route_remarks(document.content)):
            yield Finding(document, remark.path, remark.message)
        if document.content["kind"] == "Rollout":
            yield from (Finding(document, each.path, each.message) for each in _unseen(document, others))


def _of_object(document: Document, others: _Others) -> Iterator[Finding]:
    content = document.content
    if content.get("apiVersion") != names.API_VERSION:
        yield Finding(document, "apiVersion", f"must be {names.API_VERSION}")
    yield from _of_name(document, fields.part(content, "metadata"))
    shape = list(unknown.findings(content["kind"], content))
    yield from (_of_shape(document, each) for each in shape)
    has_text = isinstance(fields.part(content, "metadata").get("name", ""), str)
    is_readable = has_text and not any(isinstance(each, unknown.TypeMismatch) for each in shape)
    if content["kind"] == "Rollout" and is_readable and isinstance(content.get("spec"), Mapping):
        yield from _of_rollout(document, others)
    elif content["kind"] in KINDS:
        for problem in _in_time(lambda _: analysis_problems(content, others.templates)):
            yield Finding(document, problem.path, problem.message)


def _of_name(document: Document, metadata: Raw) -> Iterator[Finding]:
    name = metadata.get("name")
    if not name and not metadata.get("generateName"):
        yield Finding(document, "metadata.name", "is missing: an object needs a name")
    elif name and not (isinstance(name, str) and _NAME.fullmatch(name)):
        wanted = 'lower-case letters, digits, "-" and ".", with a letter or digit at both ends'
        yield Finding(document, "metadata.name", f"is no name of an object: write a text of {wanted}")


def _of_shape(document: Document, finding: unknown.Finding) -> Finding:
    match finding:
        case unknown.UnknownField(path, nearest):
            hint = f"did you mean {nearest}?" if nearest else "remove it"
            return Finding(document, path, f"is no field of this API and would be dropped: {hint}")
        case unknown.TypeMismatch(path, _, expected):
            return Finding(document, path, f"has the wrong type: expected {expected}")
        case unknown.MissingField(path):
            return Finding(document, path, "is missing: the API server would refuse this object")


def _of_rollout(document: Document, others: _Others) -> Iterator[Finding]:
    raw = _as_kept(document)
    try:
        rollout = parse_rollout(raw)
    except ValidationError as error:
        for each in error.errors(include_url=False):
            if each["type"] != "missing":  # its shape has told that
                yield Finding(document, field_path(each["loc"]), each["msg"].removeprefix("Value error, "))
        return
    known = {name: others.services.get(name, _TAKEN_FOR_GRANTED) for name in service_names(raw)}
    namespace, own = raw["metadata"].get("namespace") or "", fields.name_of(raw)
    first = {name: others.users.setdefault((namespace, name), own) for name in known}
    rivals = {name: user for name, user in first.items() if user != own}
    workload, templates = others.workload_of(raw), others.templates.granted

    def find(kit: Kit) -> Iterator[Problem]:
        objects = objects_read(raw, others.documents, kit)
        found = problems(rollout, raw, kit, known, rivals, objects=objects, workload=workload, templates=templates)
        # What routers read and is in none of the files may well be in the cluster.
        absent = [place for place, each in (objects or {}).items() if each is None]
        yield from (each for each in found if not any(is_about(each.message, place) for place in absent))

    for problem in _in_time(find):
        yield Finding(document, problem.path, problem.message)


def _unseen(document: Document, others: _Others) -> list[Problem]:
    """Return what is to be said of what routers read in the files, or miss there: its name may be misspelt."""
    raw = _as_kept(document)
    try:
        rollout = parse_rollout(raw)
    except ValidationError:
        return []

    def find(kit: Kit) -> Iterator[Problem]:
        objects = wanted(raw, others.documents, kit)
        yield from session_remarks(raw, objects)
        missed = {place: names for place, each in objects.items() if each is None and (names := others.like(place))}
        for problem in problems(rollout, raw, kit, objects=objects) if missed else ():
            for place, names in missed.items():
                if is_about(problem.message, place):
                    there = f"which have {place.kind} {', '.join(names)}"
                    yield Problem(problem.path, f"{place} is in none of these files, {there}: it is not checked")

    return _in_time(find)


def _as_kept(document: Document) -> dict[str, Any]:
    return {**_without_nulls(document.content), "metadata": fields.part(document.content, "metadata")}


def _in_time(find: Callable[[Kit], Iterable[Problem]]) -> list[Problem]:
    """Return all problems; a plugin that hangs is one."""
    kit = load_kit()
    try:
        return in_time(kit.strangers, lambda: list(find(kit)))
    except PluginError as error:
        return [Problem("spec", str(error))]


def _without_nulls(value: Any) -> Any:
    """Return what the API server keeps: a field without a value is as if it were left out."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value
