import asyncio
import base64
import os
import ssl
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from aiohttp import web

from rollouts.kube import connection as connection_module
from rollouts.kube import credentials as credentials_module
from rollouts.kube.client import Api
from rollouts.kube.connection import connect
from rollouts.kube.errors import ConfigError, Unauthorized, Unreachable
from rollouts.kube.resources import PODS
from tests.kube.scripted_server import Server, answer, refuse, write_kubeconfig
from tests.serving import server_tls, serving

TLS = Path(__file__).parent / "tls"


def encoded(name: str) -> str:
    return base64.b64encode((TLS / name).read_bytes()).decode()


@pytest.fixture(autouse=True)
def _nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


async def authorizations(server: Server, config: Path, requests: int = 1) -> list[str | None]:
    server.otherwise = answer({})
    async with await connect(kubeconfig=str(config)) as connection:
        for _ in range(requests):
            await Api(connection).get(PODS, "shop", "a")
    return [request.headers.get("Authorization") for request in server.requests]


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ({}, None),
        ({"token": "abc\n"}, "Bearer abc"),
        ({"username": "ann", "password": "x"}, "Basic YW5uOng="),
    ],
)
async def test_plain_credentials(server: Server, tmp_path: Path, user: dict[str, Any], expected: str | None) -> None:
    assert await authorizations(server, write_kubeconfig(tmp_path / "config", server.url, user)) == [expected]


async def test_the_context_gives_the_default_namespace(server: Server, tmp_path: Path) -> None:
    config = write_kubeconfig(tmp_path / "config", server.url + "/")

    async with await connect(kubeconfig=str(config)) as connection:
        assert (connection.namespace, connection.server) == ("shop", server.url)


async def test_impersonation(server: Server, tmp_path: Path) -> None:
    user = {"token": "abc", "as": "ann", "as-uid": "7", "as-groups": ["dev", "ops"]}
    await authorizations(server, write_kubeconfig(tmp_path / "config", server.url, user))

    headers = server.requests[0].headers
    assert (headers["Impersonate-User"], headers["Impersonate-Uid"]) == ("ann", "7")
    assert headers.getall("Impersonate-Group") == ["dev", "ops"]


async def test_a_token_file_is_read_again_when_it_is_due(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("one\n")
    config = write_kubeconfig(tmp_path / "config", server.url, {"tokenFile": "token"})
    server.otherwise = answer({})
    async with await connect(kubeconfig=str(config)) as connection:
        api = Api(connection)
        await api.get(PODS, "shop", "a")
        (tmp_path / "token").write_text("two\n")
        await api.get(PODS, "shop", "a")
        monkeypatch.setattr(credentials_module, "TOKEN_FILE_PERIOD", 0)
        await api.get(PODS, "shop", "a")

    assert [r.headers["Authorization"] for r in server.requests] == ["Bearer one", "Bearer one", "Bearer two"]


async def test_a_401_has_the_credentials_read_again_once_even_for_a_write(server: Server, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("one")
    config = write_kubeconfig(tmp_path / "config", server.url, {"tokenFile": "token"})
    async with await connect(kubeconfig=str(config)) as connection:
        (tmp_path / "token").write_text("two")
        server.then(refuse(401, "Unauthorized"), answer({}), refuse(401), refuse(401))
        await Api(connection).create(PODS, "shop", {})
        with pytest.raises(Unauthorized):
            await Api(connection).create(PODS, "shop", {})

    assert [request.headers["Authorization"] for request in server.requests[:2]] == ["Bearer one", "Bearer two"]
    assert len(server.requests) == 4


PLUGIN = """#!/bin/sh
echo run >> {log}
echo "$KUBERNETES_EXEC_INFO" > {log}.info
cat <<END
{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
  "status": {{"token": "$FLAVOUR-$(wc -l < {log} | tr -d ' ')" {expiry}}}}}
END
"""


def plugin_user(tmp_path: Path, expiry: str = "", text: str = PLUGIN, **more: Any) -> dict[str, Any]:
    program = tmp_path / "plugin.sh"
    program.write_text(text.format(log=tmp_path / "log", expiry=expiry))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "./plugin.sh",
            "env": [{"name": "FLAVOUR", "value": "vanilla"}],
            **more,
        }
    }


async def test_an_exec_plugin_runs_once_while_its_token_lasts(server: Server, tmp_path: Path) -> None:
    user = plugin_user(tmp_path, ', "expirationTimestamp": "2999-01-01T00:00:00Z"', provideClusterInfo=True)
    config = write_kubeconfig(tmp_path / "config", server.url, user)

    assert await authorizations(server, config, 2) == ["Bearer vanilla-1"] * 2
    info = orjson.loads((tmp_path / "log.info").read_text())
    assert info["spec"] == {"interactive": False, "cluster": {"server": server.url}}


async def test_an_exec_plugin_runs_again_when_its_token_is_about_to_expire(server: Server, tmp_path: Path) -> None:
    user = plugin_user(tmp_path, ', "expirationTimestamp": "2001-01-01T00:00:00Z"')
    config = write_kubeconfig(tmp_path / "config", server.url, user)

    assert await authorizations(server, config, 2) == ["Bearer vanilla-2", "Bearer vanilla-3"]


async def test_an_exec_plugin_runs_again_after_a_401(server: Server, tmp_path: Path) -> None:
    server.then(refuse(401))
    config = write_kubeconfig(tmp_path / "config", server.url, plugin_user(tmp_path))

    assert await authorizations(server, config) == ["Bearer vanilla-1", "Bearer vanilla-2"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("#!/bin/sh\necho no login >&2\nexit 3\n", "exit code 3: no login"),
        ("#!/bin/sh\necho hello\n", "printed no ExecCredential"),
        ('#!/bin/sh\necho \'{{"apiVersion": "v2", "status": {{"token": "x"}}}}\'\n', "speaks v2, not client"),
        (
            '#!/bin/sh\necho \'{{"apiVersion": "client.authentication.k8s.io/v1", "status": {{}}}}\'\n',
            "no token and no certificate",
        ),
    ],
)
async def test_a_failing_exec_plugin_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    config = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1", plugin_user(tmp_path, text=text))

    with pytest.raises(ConfigError, match=f"context 'test': the credential plugin .*plugin.sh .*{complaint}"):
        await connect(kubeconfig=str(config))


async def test_a_missing_exec_plugin_gives_its_install_hint(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "v1", "command": "no-such-plugin-here", "installHint": "get it from ops"}}
    config = write_kubeconfig(tmp_path / "config", "http://127.0.0.1:1", user)

    with pytest.raises(ConfigError, match="no-such-plugin-here: No such file or directory; get it from ops"):
        await connect(kubeconfig=str(config))


async def test_an_oidc_token_comes_from_kubernetes_asyncio(server: Server, tmp_path: Path) -> None:
    claims = base64.urlsafe_b64encode(b'{"exp": 32503680000}').decode().rstrip("=")
    provider = {"name": "oidc", "config": {"id-token": f"head.{claims}.tail"}}
    config = write_kubeconfig(tmp_path / "config", server.url, {"auth-provider": provider})

    assert await authorizations(server, config) == [f"Bearer head.{claims}.tail"]

    provider["config"] = {}
    config = write_kubeconfig(tmp_path / "config", server.url, {"auth-provider": provider})
    with pytest.raises(ConfigError, match="auth-provider 'oidc' gave no token"):
        await connect(kubeconfig=str(config))


def write(path: Path, document: Any) -> Path:
    path.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    return path


CONTEXT = {"name": "it", "context": {"cluster": "c", "user": "u"}}
CLUSTER = {"name": "c", "cluster": {"server": "https://x"}}
BROKEN: list[tuple[Any, str]] = [
    ("{", "kubeconfig .*config is not YAML"),
    ("- a", "is not a mapping"),
    ({}, "has no current-context: name one with --context"),
    ({"current-context": "it", "contexts": [{"name": "b"}, {"name": "a"}]}, "no context 'it'; it has: a, b"),
    ({"current-context": "it", "contexts": "x"}, "contexts must be a list"),
    ({"current-context": "it", "contexts": [{"name": "it", "context": 1}]}, r"contexts\[0\].context must be a mapping"),
    ({"current-context": "it", "contexts": [{"name": "it"}]}, "context 'it': the context names no cluster"),
    ({"current-context": "it", "contexts": [CONTEXT]}, "there is no cluster 'c' in clusters"),
    ({"current-context": "it", "contexts": [CONTEXT], "clusters": [CLUSTER]}, "there is no user 'u' in users"),
]


@pytest.mark.parametrize(("document", "complaint"), BROKEN)
async def test_a_broken_kubeconfig_is_told_by_file_and_field(tmp_path: Path, document: Any, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        await connect(kubeconfig=str(write(tmp_path / "config", document)))


@pytest.mark.parametrize(
    ("cluster", "user", "complaint"),
    [
        ({"server": "kube:6443"}, {}, "cluster 'c' needs a server of the form https://host:port, not 'kube:6443'"),
        ({"certificate-authority": "ca.pem"}, {}, "cannot read certificate-authority .*/ca.pem"),
        ({"certificate-authority-data": "%"}, {}, "certificate-authority-data is not base64"),
        ({"certificate-authority-data": "YWJj"}, {}, "certificate-authority is not a PEM certificate"),
        ({}, {"client-key-data": "YWJj"}, "client-certificate and client-key belong together"),
        (
            {},
            {"client-key-data": "YWJj", "client-certificate-data": "YWJj"},
            "are not PEM, or have a password, or are no pair",
        ),
        ({}, {"tokenFile": "gone"}, "cannot read tokenFile .*/gone"),
        ({}, {"exec": {"command": "x"}}, "user.exec needs command and apiVersion"),
    ],
)
async def test_a_bad_cluster_or_user_is_told(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], complaint: str
) -> None:
    config = write_kubeconfig(tmp_path / "config", "https://127.0.0.1:1", user, cluster)

    with pytest.raises(ConfigError, match=f"kubeconfig .*config, context 'test': .*{complaint}"):
        await connect(kubeconfig=str(config))


async def test_without_any_configuration_the_way_out_is_named() -> None:
    with pytest.raises(ConfigError, match=r"no kubeconfig at .*home/.kube/config: give one with --kubeconfig"):
        await connect()
    with pytest.raises(ConfigError, match="not in a cluster"):
        await connect(in_cluster=True)


async def test_of_several_kubeconfigs_the_first_decides(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b").mkdir()
    first = write(tmp_path / "a", {"current-context": "it", "users": [{"name": "u", "user": {"token": "first"}}]})
    second = write(
        tmp_path / "b" / "config",
        {
            "current-context": "another",
            "contexts": [CONTEXT],
            "clusters": [{"name": "c", "cluster": {"server": server.url}}],
            "users": [{"name": "u", "user": {"token": "second"}}],
        },
    )
    monkeypatch.setenv("KUBECONFIG", os.pathsep.join([str(tmp_path / "missing"), str(first), str(second)]))
    server.then(answer({}))

    async with await connect() as connection:
        await Api(connection).get(PODS, "shop", "a")
        assert connection.source == f"kubeconfig {second}, context 'it'"

    assert server.requests[0].headers["Authorization"] == "Bearer first"


class SecureServer(Server):
    """Speaks TLS, and notes the common name of each client's certificate."""

    def __init__(self) -> None:
        super().__init__()
        self.clients: list[str | None] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        certificate = request.transport.get_extra_info("peercert") or {}
        names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
        self.clients.append(names[0] if names else None)
        return await super().handle(request)


@pytest.fixture
async def secure() -> AsyncIterator[SecureServer]:
    context = server_tls()
    context.load_verify_locations(TLS / "authority.pem")
    context.verify_mode = ssl.CERT_OPTIONAL
    scripted = SecureServer()
    scripted.otherwise = answer({})
    async with serving(scripted.handle, tls=context) as url:
        scripted.url = url
        yield scripted


async def get(config: Path) -> None:
    async with await connect(kubeconfig=str(config)) as connection:
        await Api(connection).create(PODS, "shop", {})


AUTHORITY = {"certificate-authority-data": encoded("authority.pem")}


async def test_tls_trusts_the_kubeconfigs_authority_only(secure: SecureServer, tmp_path: Path) -> None:
    await get(write_kubeconfig(tmp_path / "config", secure.url, cluster=AUTHORITY))
    await get(
        write_kubeconfig(tmp_path / "config", secure.url, cluster={"certificate-authority": str(TLS / "authority.pem")})
    )
    await get(write_kubeconfig(tmp_path / "config", secure.url, cluster={"insecure-skip-tls-verify": True}))
    with pytest.raises(Unreachable, match="does certificate-authority in the kubeconfig belong"):
        await get(write_kubeconfig(tmp_path / "config", secure.url))


async def test_tls_server_name_is_what_the_certificate_must_carry(secure: SecureServer, tmp_path: Path) -> None:
    url = secure.url.replace("127.0.0.1", "localhost")
    await get(write_kubeconfig(tmp_path / "config", url, cluster={**AUTHORITY, "tls-server-name": "api.cluster.test"}))
    for name in ("other.test", None):
        with pytest.raises(Unreachable):
            await get(write_kubeconfig(tmp_path / "config", url, cluster={**AUTHORITY, "tls-server-name": name}))


async def test_a_rotated_client_certificate_is_used_after_a_401(secure: SecureServer, tmp_path: Path) -> None:
    for kind in ("", ".key"):
        (tmp_path / f"client{kind}.pem").write_bytes((TLS / f"alice{kind}.pem").read_bytes())
    user = {"client-certificate": "client.pem", "client-key": "client.key.pem"}
    config = write_kubeconfig(tmp_path / "config", secure.url, user, AUTHORITY)
    async with await connect(kubeconfig=str(config)) as connection:
        await Api(connection).get(PODS, "shop", "a")
        for kind in ("", ".key"):
            (tmp_path / f"client{kind}.pem").write_bytes((TLS / f"bob{kind}.pem").read_bytes())
        secure.then(refuse(401))
        await Api(connection).get(PODS, "shop", "a")

    assert secure.clients == ["alice", "alice", "bob"]


async def test_in_a_pod_the_service_account_is_used(
    secure: SecureServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (
        ("token", "pod-token\n"),
        ("namespace", "system"),
        ("ca.crt", (TLS / "authority.pem").read_text()),
    ):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(connection_module, "SERVICE_ACCOUNT", tmp_path)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", secure.url.rpartition(":")[2])

    async with await connect() as connection:
        await Api(connection).get(PODS, "shop", "a")
        assert connection.namespace == "system"
    assert secure.requests[0].headers["Authorization"] == "Bearer pod-token"

    (tmp_path / "token").unlink()
    with pytest.raises(ConfigError, match="automountServiceAccountToken"):
        await connect(in_cluster=True)


async def test_a_proxy_url_is_used(server: Server, tmp_path: Path) -> None:
    server.then(answer({"proxied": True}))
    config = write_kubeconfig(tmp_path / "config", "http://kube.invalid:6443", cluster={"proxy-url": server.url})

    async with await connect(kubeconfig=str(config)) as connection:
        assert await Api(connection).get(PODS, "shop", "a") == {"proxied": True}
    assert server.requests[0].headers["Host"] == "kube.invalid:6443"


async def test_proxies_of_the_environment_are_used_unless_no_proxy_names_the_server(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.otherwise = answer({"proxied": True})
    config = write_kubeconfig(tmp_path / "config", "http://kube.invalid:6443")
    monkeypatch.setenv("http_proxy", server.url)
    async with await connect(kubeconfig=str(config)) as connection:
        assert await Api(connection).get(PODS, "shop", "a") == {"proxied": True}

    monkeypatch.setenv("no_proxy", "kube.invalid")
    async with await connect(kubeconfig=str(config)) as connection:
        with pytest.raises(Unreachable):
            await Api(connection).create(PODS, "shop", {})


async def test_watches_never_starve_requests(server: Server, tmp_path: Path) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    config = write_kubeconfig(tmp_path / "config", server.url)
    async with await connect(kubeconfig=str(config)) as connection:
        api = Api(connection)
        server.otherwise = hang
        watches = [asyncio.create_task(anext(api.watch(PODS))) for _ in range(210)]
        await server.asked(210)
        server.otherwise = answer({"ok": True})
        assert await api.get(PODS, "shop", "a") == {"ok": True}
        for watch in watches:
            watch.cancel()
        await asyncio.wait(watches)
