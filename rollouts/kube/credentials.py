"""Who we are to the API server right now: tokens, token files, client certificates, exec plugins, auth providers."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from rollouts.kube.errors import ConfigError
from rollouts.kube.kubeconfig import read_pem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollouts.kube.kubeconfig import Target

TOKEN_FILE_PERIOD = 60.0  # kubelet rotates a token well before its end: a minute late is early enough
EXPIRY_SKEW = 60.0
EXEC_TIMEOUT = 60.0
AUTH_PROVIDER_PERIOD = 60.0


@dataclass(frozen=True, slots=True)
class Credential:
    """What one request carries: an Authorization header, a client certificate, both or neither."""

    authorization: str | None = None
    certificate: tuple[str, str] | None = None


class Credentials(Protocol):
    """A source of credentials that knows when they have to be renewed."""

    async def current(self) -> Credential:
        """Return a credential that is valid now; cheap when nothing is due."""

    def forget(self) -> None:
        """Drop what is remembered: the server didn't accept it."""


def credentials_of(target: Target) -> Credentials:
    """Return the credentials that the target's user entry describes, in kubectl's order of precedence."""
    user, source = target.user, target.source
    if user.get("exec"):
        return ExecCredentials(user["exec"], target)
    if user.get("auth-provider"):
        return AuthProviderCredentials(user["auth-provider"], source)
    return FileCredentials(user, source)


class FileCredentials:
    """Everything that stands in the kubeconfig or in files it names; files are read again every minute."""

    def __init__(self, user: Mapping[str, Any], source: str) -> None:
        self._user = user
        self._source = source
        self._reads_files = any(user.get(key) for key in ("tokenFile", "client-certificate", "client-key"))
        self._credential: Credential | None = None
        self._read_at = 0.0

    async def current(self) -> Credential:
        """Return the credential, from memory for a minute."""
        stale = self._reads_files and time.monotonic() - self._read_at >= TOKEN_FILE_PERIOD
        if self._credential is None or stale:
            self._credential = self._read()
            self._read_at = time.monotonic()
        return self._credential

    def forget(self) -> None:
        """Read again at the next request."""
        self._credential = None

    def _read(self) -> Credential:
        certificate = read_pem(self._user, "client-certificate", Path(), self._source)
        key = read_pem(self._user, "client-key", Path(), self._source)
        if (certificate is None) != (key is None):
            raise ConfigError(f"{self._source}: client-certificate and client-key belong together, one is missing")
        pair = (certificate, key) if certificate is not None and key is not None else None
        return Credential(authorization=self._authorization(), certificate=pair)

    def _authorization(self) -> str | None:
        user = self._user
        if user.get("tokenFile"):
            try:
                token = Path(user["tokenFile"]).read_text().strip()
            except OSError as error:
                raise ConfigError(f"{self._source}: cannot read tokenFile {user['tokenFile']}: {error}") from error
            if not token:
                raise ConfigError(f"{self._source}: tokenFile {user['tokenFile']} is empty")
            return f"Bearer {token}"
        if user.get("token"):
            return f"Bearer {str(user['token']).strip()}"
        if user.get("username"):
            pair = f"{user['username']}:{user.get('password') or ''}"
            return f"Basic {base64.b64encode(pair.encode()).decode()}"
        return None


class ExecCredentials:
    """A program prints an ExecCredential (client.authentication.k8s.io); it runs again when that expires."""

    def __init__(self, plugin: Any, target: Target) -> None:
        self._source = target.source
        if not isinstance(plugin, dict) or not plugin.get("command") or not plugin.get("apiVersion"):
            raise ConfigError(f"{self._source}: user.exec needs command and apiVersion")
        self._plugin = plugin
        self._api_version = str(plugin["apiVersion"])
        self._info = self._exec_info(target)
        self._credential: Credential | None = None
        self._expires_at = float("inf")
        self._running = asyncio.Lock()

    async def current(self) -> Credential:
        """Return the credential; runs the program when there is none or it is about to expire."""
        async with self._running:
            # Expiry is a wall clock time by definition.
            if self._credential is None or time.time() >= self._expires_at - EXPIRY_SKEW:
                self._credential, self._expires_at = self._parse(await self._run())
            return self._credential

    def forget(self) -> None:
        """Run the program at the next request."""
        self._credential = None

    def _exec_info(self, target: Target) -> str:
        spec: dict[str, Any] = {"interactive": False}
        if self._plugin.get("provideClusterInfo"):
            authority = target.certificate_authority
            cluster = {
                "server": target.server,
                "tls-server-name": target.tls_server_name,
                "insecure-skip-tls-verify": not target.verify or None,
                "certificate-authority-data": base64.b64encode(authority.encode()).decode() if authority else None,
                "proxy-url": target.proxy,
                "config": _exec_extension(target.cluster),
            }
            spec["cluster"] = {key: value for key, value in cluster.items() if value is not None}
        return orjson.dumps({"apiVersion": self._api_version, "kind": "ExecCredential", "spec": spec}).decode()

    async def _run(self) -> bytes:
        command = str(self._plugin["command"])
        arguments = [str(argument) for argument in self._plugin.get("args") or []]
        variables = {str(item["name"]): str(item.get("value", "")) for item in self._plugin.get("env") or []}
        try:
            process = await asyncio.create_subprocess_exec(
                command,
                *arguments,
                env={**os.environ, **variables, "KUBERNETES_EXEC_INFO": self._info},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            hint = self._plugin.get("installHint") or f"is {command} installed and on the PATH?"
            raise ConfigError(
                f"{self._source}: cannot run the credential plugin {command}: {error.strerror}; {hint}"
            ) from error
        try:
            async with asyncio.timeout(EXEC_TIMEOUT):
                output, complaint = await process.communicate()
        except TimeoutError:
            raise ConfigError(
                f"{self._source}: the credential plugin {command} said nothing for {EXEC_TIMEOUT:.0f} s"
            ) from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            said = " ".join(complaint.decode(errors="replace").split())[:500]
            raise ConfigError(
                f"{self._source}: the credential plugin {command} ended with exit code {process.returncode}: {said}"
            )
        return output

    def _parse(self, output: bytes) -> tuple[Credential, float]:
        command = self._plugin["command"]
        try:
            answer = orjson.loads(output)
            status = answer["status"]
            version = answer["apiVersion"]
            token, certificate, key = (status.get(name) for name in ("token", "clientCertificateData", "clientKeyData"))
            stamp = status.get("expirationTimestamp")
            expires_at = datetime.fromisoformat(stamp).timestamp() if stamp else float("inf")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise ConfigError(f"{self._source}: the credential plugin {command} printed no ExecCredential") from error
        if version != self._api_version:
            raise ConfigError(
                f"{self._source}: the credential plugin {command} speaks {version}, not {self._api_version}"
            )
        pair = (certificate, key) if certificate and key else None
        if not token and pair is None:
            raise ConfigError(
                f"{self._source}: the credential plugin {command} returned no token and no certificate with key"
            )
        return Credential(authorization=f"Bearer {token}" if token else None, certificate=pair), expires_at


def _exec_extension(cluster: Mapping[str, Any]) -> Any:
    for extension in cluster.get("extensions") or []:
        if isinstance(extension, dict) and extension.get("name") == "client.authentication.k8s.io/exec":
            return extension.get("extension")
    return None


class AuthProviderCredentials:
    """OpenID Connect and the other `auth-provider`s, which kubernetes_asyncio knows how to renew.

    A renewed token stays in memory: the kubeconfig file is not rewritten.
    """

    def __init__(self, provider: Any, source: str) -> None:
        self._provider = provider
        self._source = source
        self._authorization: str | None = None
        self._asked_at = 0.0
        self._asking = asyncio.Lock()

    async def current(self) -> Credential:
        """Return the token, asking the provider once a minute whether it is still good."""
        async with self._asking:
            if self._authorization is None or time.monotonic() - self._asked_at >= AUTH_PROVIDER_PERIOD:
                self._authorization = await self._ask()
                self._asked_at = time.monotonic()
            return Credential(authorization=self._authorization)

    def forget(self) -> None:
        """Ask at the next request."""
        self._authorization = None

    async def _ask(self) -> str:
        from kubernetes_asyncio.client import Configuration  # noqa: PLC0415 - 66 MiB, for few users
        from kubernetes_asyncio.config import load_kube_config_from_dict  # noqa: PLC0415

        configuration = Configuration()
        document = {
            "current-context": "it",
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
            "clusters": [{"name": "it", "cluster": {"server": "http://localhost"}}],
            "users": [{"name": "it", "user": {"auth-provider": self._provider}}],
        }
        try:
            await load_kube_config_from_dict(document, client_configuration=configuration)
            return str(configuration.api_key["BearerToken"])
        except Exception as error:
            # The library raises what its parts raise: bad base64, KeyErrors, HTTP failures of the provider.
            name = self._provider.get("name") if isinstance(self._provider, dict) else self._provider
            raise ConfigError(f"{self._source}: auth-provider {name!r} gave no token: {error}") from error
