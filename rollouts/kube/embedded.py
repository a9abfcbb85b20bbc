"""What does a kubeconfig say that doesn't lie in a file of ours, but in a Secret?

Whoever can write such a Secret must not come by more than the cluster that it leads to. So it runs no program, names
no file of ours, and is sent nothing over a connection that others can read. What it says is never part of a message:
parts of it are secret, and a mistake may be anywhere.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import yaml

from rollouts.kube.errors import ConfigError
from rollouts.kube.kubeconfig import Target, read_pem

if TYPE_CHECKING:
    from collections.abc import Mapping

_INSTEAD = {
    "certificate-authority": "certificate-authority-data",
    "client-certificate": "client-certificate-data",
    "client-key": "client-key-data",
    "tokenFile": "token",
}
_PROGRAMS = ("exec", "auth-provider")
_TEXTS = ("server", "tls-server-name", "proxy-url", "token", "username", "password", "as", "as-uid")
_LABEL = "[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def read_embedded(text: str, source: str) -> Target:
    """Return the target of the current context. Raises ConfigError, whose message begins with `source`."""
    document = _document(text, source)
    name = document.get("current-context")
    if not name:
        raise ConfigError(f"{source}: the kubeconfig has no current-context: name the one to use")
    context = _entry(document, "contexts", name, source)
    cluster = _entry(document, "clusters", context.get("cluster"), source)
    user = _entry(document, "users", context["user"], source) if context.get("user") else {}
    for title, entry in (("cluster", cluster), ("user", user)):
        _check(entry, f"{source}: {title}")
    if cluster.get("insecure-skip-tls-verify"):
        raise ConfigError(
            f"{source}: cluster.insecure-skip-tls-verify would let anybody answer in the cluster's name: "
            "give certificate-authority-data instead"
        )
    return Target(
        server=_address(cluster, "server", ("https",), source).rstrip("/"),
        namespace="default",
        source=source,
        user=user,
        cluster=cluster,
        certificate_authority=read_pem(cluster, "certificate-authority", Path(), source),
        tls_server_name=_server_name(cluster, source),
        proxy=_address(cluster, "proxy-url", ("http", "https"), source) if cluster.get("proxy-url") else None,
    )


def _document(text: str, source: str) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f", see line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise ConfigError(f"{source}: not a kubeconfig: it isn't YAML{where}") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigError(f"{source}: not a kubeconfig: it isn't YAML") from None
    if not isinstance(document, dict):
        raise ConfigError(f"{source}: not a kubeconfig: it isn't a mapping")
    return document


def _entry(document: Mapping[str, Any], section: str, name: object, source: str) -> Mapping[str, Any]:
    """Return what an entry of a section holds."""
    singular = section.removesuffix("s")
    if not name:
        raise ConfigError(f"{source}: the kubeconfig's current context names no {singular}")
    entries = document.get(section) or []
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise ConfigError(f"{source}: {section} of the kubeconfig must be a list of entries with a name")
    found = next((each.get(singular) or {} for each in entries if each.get("name") == name), None)
    if not isinstance(found, dict):
        missing = "has no entry of the name that is asked for" if found is None else "must have mappings"
        raise ConfigError(f"{source}: {section} of the kubeconfig {missing}")
    return found


def _check(entry: Mapping[str, Any], where: str) -> None:
    """Refuse what reaches beyond the Secret, and what can't be sent."""
    for key in _PROGRAMS:
        if entry.get(key):
            raise ConfigError(
                f"{where}.{key} would have the controller run code for a Secret, which it doesn't: "
                "give a token or a client certificate instead"
            )
    for key, instead in _INSTEAD.items():
        if entry.get(key):
            raise ConfigError(f"{where}.{key} names a file, and a Secret can't name ours: give {instead} instead")
    texts = {key: entry[key] for key in _TEXTS if entry.get(key)}
    groups = entry.get("as-groups") or []
    if not isinstance(groups, list):
        raise ConfigError(f"{where}.as-groups must be a list of names")
    for key, value in (*texts.items(), *(("as-groups", each) for each in groups)):
        if not isinstance(value, str) or not value.strip().isprintable():
            raise ConfigError(f"{where}.{key} must be text on one line: put it into quotes")


def _address(cluster: Mapping[str, Any], key: str, schemes: tuple[str, ...], source: str) -> str:
    text = str(cluster.get(key) or "").strip()
    try:
        address = urlsplit(text)
        is_sound = address.scheme in schemes and _is_host(address.hostname or "") and address.port != 0
    except ValueError:
        is_sound = False
    if not is_sound:
        raise ConfigError(f"{source}: cluster.{key} must be of the form {' or '.join(schemes)}://host:port")
    if key == "server" and (address.username or address.password or address.query or address.fragment):
        raise ConfigError(f"{source}: cluster.server must be an address and nothing more: name users under users")
    return text


def _server_name(cluster: Mapping[str, Any], source: str) -> str | None:
    name: str = cluster.get("tls-server-name") or ""
    if name and not _is_host(name):
        raise ConfigError(f"{source}: cluster.tls-server-name must be the name of a host")
    return name or None


def _is_host(text: str) -> bool:
    """Whether a text is a host's name, or its address."""
    if _HOST.fullmatch(text):
        return True
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
