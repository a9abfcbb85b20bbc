"""How we reach the API server: TLS, credentials on every request, one pool for watches and one for the rest."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from rollouts.kube.credentials import credentials_of
from rollouts.kube.errors import ConfigError, Unreachable
from rollouts.kube.kubeconfig import SERVICE_ACCOUNT, kubeconfig_paths, read_kubeconfig, read_service_account

if TYPE_CHECKING:
    from types import TracebackType

    from rollouts.kube.credentials import Credential, Credentials
    from rollouts.kube.kubeconfig import Target

REQUEST_CONNECTIONS = 200
USER_AGENT = f"rollouts/{version('rollouts')}"


async def connect(
    *, kubeconfig: str | None = None, context: str | None = None, in_cluster: bool | None = None
) -> Connection:
    """Find the API server and our credentials, as kubectl does; raises ConfigError when something is missing.

    Nothing is sent yet. `in_cluster` decides between service account and kubeconfig; None means: a kubeconfig where one
    is named or lies in its usual place, else the service account of the pod.
    """
    connection = Connection(find_target(kubeconfig=kubeconfig, context=context, in_cluster=in_cluster))
    try:
        await connection.prepare()
    except BaseException:
        await connection.close()
        raise
    return connection


def find_target(*, kubeconfig: str | None, context: str | None, in_cluster: bool | None) -> Target:
    """Choose between service account and kubeconfig, and read the one that is chosen."""
    paths = kubeconfig_paths(kubeconfig, os.environ)
    if in_cluster is None:
        named = bool(kubeconfig or context or os.environ.get("KUBECONFIG"))
        in_pod = bool(os.environ.get("KUBERNETES_SERVICE_HOST"))
        in_cluster = in_pod and not named and not any(path.exists() for path in paths)
    if in_cluster:
        return read_service_account(os.environ, SERVICE_ACCOUNT)
    return read_kubeconfig(paths, context)


class Connection:
    """Sessions to one API server; they are rebuilt when the client certificate changes."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.server = target.server
        self.namespace = target.namespace
        self.source = target.source
        self._credentials: Credentials = credentials_of(target)
        self._certificate: tuple[str, str] | None = None
        self._requests: aiohttp.ClientSession | None = None
        self._watches: aiohttp.ClientSession | None = None
        self._retired: list[aiohttp.ClientSession] = []
        self._credential: Credential | None = None
        self._arguments: dict[str, Any] = {}
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections; nothing is sent any more."""
        self._is_closed = True
        for session in (self._requests, self._watches, *self._retired):
            if session is not None:
                await session.close()
        self._requests = self._watches = None
        self._retired = []

    async def prepare(self, *, for_watch: bool = False) -> tuple[aiohttp.ClientSession, dict[str, Any]]:
        """Return the session to use and what every request must carry: headers, proxy, server name.

        Raises ConfigError, and Unreachable once it has been closed.
        """
        credential = await self._credentials.current()
        if self._is_closed:
            raise self._closed()
        if self._requests is None or self._watches is None or credential.certificate != self._certificate:
            await self._rebuild(credential)
        session = self._watches if for_watch else self._requests
        if session is None:
            raise self._closed()
        if credential is not self._credential:
            self._credential = credential
            self._arguments = _arguments(self.target, credential)
        return session, self._arguments

    def renew_credentials(self) -> None:
        """Forget the credentials after a 401: token, plugin and certificates are read again for the next request."""
        self._credentials.forget()

    def _closed(self) -> Unreachable:
        return Unreachable(f"the connection to {self.server} ({self.source}) was closed", reason="Unreachable")

    async def _rebuild(self, credential: Credential) -> None:
        context = _tls_context(self.target, credential.certificate)
        # Running requests may finish on the sessions before these; those before that have had their time.
        expired, self._retired = self._retired, [s for s in (self._requests, self._watches) if s is not None]
        self._requests = _session(tls=context, limit=REQUEST_CONNECTIONS)
        self._watches = _session(tls=context, limit=0)
        self._certificate = credential.certificate
        for session in expired:
            await session.close()


def _session(*, tls: ssl.SSLContext | bool, limit: int) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=limit, ssl=tls, socket_factory=_socket)
    return aiohttp.ClientSession(
        connector=connector,
        headers={"User-Agent": USER_AGENT, "Accept": "application/json"},
        cookie_jar=aiohttp.DummyCookieJar(),  # an API server sets none; looking for some costs time on every request
        read_bufsize=2**18,
    )


def _socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """Open a socket on which the kernel notices within a minute that the other side is gone."""
    family, kind, protocol, _, _ = address
    opened = socket.socket(family, kind, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", 30),
        ("TCP_KEEPINTVL", 10),
        ("TCP_KEEPCNT", 3),
        ("TCP_USER_TIMEOUT", 60_000),
    ):
        if hasattr(socket, option):
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return opened


def _tls_context(target: Target, certificate: tuple[str, str] | None) -> ssl.SSLContext | bool:
    if not target.server.startswith("https://"):
        return True
    try:
        context = ssl.create_default_context(cadata=target.certificate_authority)
    except (ssl.SSLError, ValueError, TypeError) as error:
        raise ConfigError(f"{target.source}: certificate-authority is not a PEM certificate") from error
    # Cluster authorities made by older tools lack the extensions that X.509 strictness asks for; Go doesn't either.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not target.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        with tempfile.TemporaryDirectory(prefix="rollouts-") as directory:
            # ssl reads certificates from files only; these live for this moment, readable by us alone.
            files = [Path(directory, "certificate.pem"), Path(directory, "key.pem")]
            for file, text in zip(files, certificate, strict=True):
                file.write_text(text)
            try:
                # Without a password OpenSSL would ask for one on the terminal, and wait there.
                context.load_cert_chain(files[0], files[1], password="")
            except (ssl.SSLError, ValueError) as error:
                raise ConfigError(
                    f"{target.source}: client certificate and key are not PEM, or have a password, or are no pair"
                ) from error
    return context


def _proxy_of(target: Target) -> str | None:
    """Return the kubeconfig's proxy-url, else what HTTPS_PROXY and NO_PROXY say, as for kubectl.

    aiohttp can ask the environment itself, but does so for every request, with two hops to a thread.
    """
    if target.proxy is not None:
        return target.proxy
    address = urlsplit(target.server)
    if proxy_bypass(address.netloc):
        return None
    return getproxies().get(address.scheme)


def _arguments(target: Target, credential: Credential) -> dict[str, Any]:
    user = target.user
    headers = [("Authorization", credential.authorization)] if credential.authorization else []
    if user.get("as"):
        headers.append(("Impersonate-User", str(user["as"])))
    if user.get("as-uid"):
        headers.append(("Impersonate-Uid", str(user["as-uid"])))
    headers.extend(("Impersonate-Group", str(group)) for group in user.get("as-groups") or [])
    arguments = {"headers": tuple(headers), "proxy": _proxy_of(target), "server_hostname": target.tls_server_name}
    return {key: value for key, value in arguments.items() if value}
