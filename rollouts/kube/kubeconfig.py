"""Where the API server is and who we are, according to kubeconfig files or the pod's service account.

kubernetes_asyncio can read these files too, but importing it costs 66 MiB and over two seconds (it brings a class for
every type of Kubernetes), and its errors don't name the file. It is left with what only it knows: see `credentials`.
"""

from __future__ import annotations

import base64
import binascii
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rollouts.kube.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Target:
    """An API server, how to trust it, and the raw user entry that says who we are."""

    server: str
    namespace: str
    source: str
    user: Mapping[str, Any] = field(default_factory=dict)
    cluster: Mapping[str, Any] = field(default_factory=dict)
    certificate_authority: str | None = None
    verify: bool = True
    tls_server_name: str | None = None
    proxy: str | None = None


def kubeconfig_paths(explicit: str | None, environ: Mapping[str, str]) -> list[Path]:
    """Return the files to read: the given one, else those of KUBECONFIG, else ~/.kube/config."""
    if explicit:
        return [Path(explicit).expanduser()]
    if environ.get("KUBECONFIG"):
        return [Path(path).expanduser() for path in environ["KUBECONFIG"].split(os.pathsep) if path]
    return [Path("~/.kube/config").expanduser()]


def read_service_account(environ: Mapping[str, str], directory: Path) -> Target:
    """Return the target of a process that runs in a pod."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT")
    if not host or not port:
        raise ConfigError(
            "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; "
            "give a kubeconfig file instead"
        )
    token = directory / "token"
    if not token.is_file():
        raise ConfigError(
            f"no service account token at {token}: set the pod's automountServiceAccountToken, or give a kubeconfig"
        )
    try:
        authority = (directory / "ca.crt").read_text()
        namespace = (directory / "namespace").read_text().strip()
    except OSError as error:
        raise ConfigError(f"cannot read the service account's files in {directory}: {error.strerror}") from error
    return Target(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=namespace or "default",
        source=f"service account in {directory}",
        user={"tokenFile": str(token)},
        certificate_authority=authority,
    )


def read_kubeconfig(paths: list[Path], context: str | None) -> Target:
    """Return the target of a context; of several files the first that names a thing decides, as in kubectl."""
    documents = list(_documents(paths))
    where = os.pathsep.join(str(path) for path in paths)
    name = context or next((doc["current-context"] for _, doc in documents if doc.get("current-context")), None)
    if not name:
        raise ConfigError(f"kubeconfig {where} has no current-context: name one with --context")
    found = _entry(documents, "contexts", name)
    if found is None:
        known = ", ".join(sorted({str(entry.get("name")) for _, _, entry in _entries(documents, "contexts")})) or "none"
        raise ConfigError(f"kubeconfig {where} has no context {name!r}; it has: {known}")
    path, chosen = found
    cluster_path, cluster = _referenced(documents, "cluster", chosen, f"kubeconfig {path}, context {name!r}")
    user_path, user = (
        _referenced(documents, "user", chosen, f"kubeconfig {path}, context {name!r}")
        if chosen.get("user")
        else (path, {})
    )
    source = f"kubeconfig {cluster_path}, context {name!r}"
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith(("https://", "http://")):
        raise ConfigError(
            f"{source}: cluster {chosen['cluster']!r} needs a server of the form https://host:port, not {server!r}"
        )
    return Target(
        server=server.rstrip("/"),
        namespace=str(chosen.get("namespace") or "default"),
        source=source,
        user=_with_absolute_paths(user, user_path),
        cluster=cluster,
        certificate_authority=read_pem(cluster, "certificate-authority", cluster_path.parent, source),
        verify=cluster.get("insecure-skip-tls-verify") is not True,
        tls_server_name=cluster.get("tls-server-name") or None,
        proxy=cluster.get("proxy-url") or None,
    )


def read_pem(entry: Mapping[str, Any], key: str, directory: Path, source: str) -> str | None:
    """Return the PEM text of `key`-data, or of the file that `key` names; None when neither is there."""
    data = entry.get(f"{key}-data")
    if data:
        try:
            return base64.b64decode(data, validate=True).decode()
        except (binascii.Error, ValueError, TypeError) as error:
            raise ConfigError(f"{source}: {key}-data is not base64 of PEM text") from error
    file = entry.get(key)
    if not file:
        return None
    try:
        return (directory / str(file)).read_text()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{source}: cannot read {key} {directory / str(file)}: {error}") from error


def _documents(paths: list[Path]) -> Iterator[tuple[Path, dict[str, Any]]]:
    missing = []
    seen = False
    for path in paths:
        try:
            text = path.read_text()
        except FileNotFoundError:
            missing.append(str(path))
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read kubeconfig {path}: {error}") from error
        seen = True
        try:
            document = yaml.safe_load(text) or {}
        except yaml.YAMLError as error:
            raise ConfigError(f"kubeconfig {path} is not YAML: {' '.join(str(error).split())}") from error
        if not isinstance(document, dict):
            raise ConfigError(f"kubeconfig {path} is not a mapping: is it the right file?")
        yield path, document
    if not seen:
        raise ConfigError(
            f"no kubeconfig at {', '.join(missing)}: give one with --kubeconfig or the variable KUBECONFIG, "
            "or start a cluster with `rollouts devcluster`"
        )


def _entries(documents: list[tuple[Path, dict[str, Any]]], section: str) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    for path, document in documents:
        entries = document.get(section) or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ConfigError(f"kubeconfig {path}: {section} must be a list of entries with a name")
        for index, entry in enumerate(entries):
            yield path, index, entry


def _entry(documents: list[tuple[Path, dict[str, Any]]], section: str, name: str) -> tuple[Path, dict[str, Any]] | None:
    singular = section.removesuffix("s")
    for path, index, entry in _entries(documents, section):
        if entry.get("name") == name:
            value = entry.get(singular)
            if value is None:
                value = {}
            if not isinstance(value, dict):
                raise ConfigError(f"kubeconfig {path}: {section}[{index}].{singular} must be a mapping")
            return path, value
    return None


def _referenced(
    documents: list[tuple[Path, dict[str, Any]]], key: str, context: Mapping[str, Any], source: str
) -> tuple[Path, dict[str, Any]]:
    name = context.get(key)
    if not name:
        raise ConfigError(f"{source}: the context names no {key}")
    found = _entry(documents, f"{key}s", name)
    if found is None:
        raise ConfigError(f"{source}: there is no {key} {name!r} in {key}s")
    return found


def _with_absolute_paths(user: dict[str, Any], path: Path) -> dict[str, Any]:
    """Resolve paths against the file that holds them: the merged configuration has no directory of its own."""
    absolute = dict(user)
    for key in ("client-certificate", "client-key", "tokenFile"):
        if absolute.get(key):
            absolute[key] = str(path.parent / str(absolute[key]))
    plugin = absolute.get("exec")
    if isinstance(plugin, dict) and "/" in str(plugin.get("command", "")):
        absolute["exec"] = {**plugin, "command": str(path.parent / str(plugin["command"]))}
    return absolute
