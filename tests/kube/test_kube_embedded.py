"""What may a kubeconfig in a Secret say, and is every mistake told without a word of what it says?"""

import base64
from typing import Any

import pytest
import yaml

from rollouts.kube.embedded import read_embedded
from rollouts.kube.errors import ConfigError

SOURCE = 'Secret rollouts/primary, key "east"'
SECRET = "s3cr3t-t0ken"  # noqa: S105 - of nothing
PEM = base64.b64encode(b"a certificate").decode()
SERVER = "https://east.example:6443"


def kubeconfig(cluster: Any = None, user: Any = None, **settings: Any) -> str:
    document = {
        "current-context": "east",
        "contexts": [{"name": "east", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": SERVER, **(cluster or {})}}],
        "users": [{"name": "u", "user": {"token": SECRET} if user is None else user}],
    }
    return yaml.safe_dump({**document, **settings})


def test_all_that_is_needed_stands_in_it() -> None:
    cluster = {"certificate-authority-data": PEM, "tls-server-name": "kubernetes", "proxy-url": "http://proxy:3128"}
    target = read_embedded(kubeconfig(cluster), SOURCE)
    assert (target.server, target.certificate_authority, target.verify) == (SERVER, "a certificate", True)
    assert (target.tls_server_name, target.proxy) == ("kubernetes", "http://proxy:3128")
    assert (target.user, target.source) == ({"token": SECRET}, SOURCE)


@pytest.mark.parametrize("server", [SERVER, "https://10.0.0.1", "https://[::1]:6443", "https://k:6443/clusters/a/"])
def test_servers_are_addresses(server: str) -> None:
    assert read_embedded(kubeconfig({"server": server}), SOURCE).server == server.rstrip("/")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"token: {SECRET}\n\t- {SECRET}", "it isn't YAML, see line 2, column 1"),
        ("[" * 5_000, "it isn't YAML"),
        (f"token: *{SECRET}", "it isn't YAML, see line 1, column 8"),
        (SECRET, "it isn't a mapping"),
        ("", "it isn't a mapping"),
        (kubeconfig(**{"current-context": ""}), "no current-context"),
        (kubeconfig(**{"current-context": "west"}), "contexts of the kubeconfig has no entry of the name"),
        (kubeconfig(contexts=SECRET), "contexts of the kubeconfig must be a list"),
        (kubeconfig(contexts=[{"name": "east", "context": [SECRET]}]), "contexts of the kubeconfig must have mappings"),
        (kubeconfig(contexts=[{"name": "east"}]), "current context names no cluster"),
        (kubeconfig(clusters=None), "clusters of the kubeconfig has no entry"),
        (kubeconfig(users=[]), "users of the kubeconfig has no entry"),
    ],
)
def test_what_is_no_kubeconfig(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_embedded(text, SOURCE)
    assert str(caught.value).startswith(f"{SOURCE}: ")
    assert complaint in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("user", "complaint"),
    [
        ({"exec": {"command": "/bin/sh", "args": [SECRET]}}, "user.exec would have the controller run code"),
        ({"auth-provider": {"name": "gcp", "config": {"cmd-path": SECRET}}}, "user.auth-provider would have"),
        ({"tokenFile": "/var/run/secrets/token", "token": SECRET}, "user.tokenFile names a file"),
        ({"client-certificate": "/a", "token": SECRET}, "give client-certificate-data instead"),
        ({"client-key": "/a", "client-key-data": PEM}, "give client-key-data instead"),
        ({"token": f"{SECRET}\r\nHost: elsewhere"}, "user.token must be text on one line"),
        ({"token": 12}, "user.token must be text on one line: put it into quotes"),
        ({"token": SECRET, "as": "a\nb"}, "user.as must be text on one line"),
        ({"token": SECRET, "as-groups": ["a\nb"]}, "user.as-groups must be text on one line"),
        ({"token": SECRET, "as-groups": "admins"}, "user.as-groups must be a list"),
    ],
)
def test_users_run_nothing_and_read_no_files(user: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_embedded(kubeconfig(user=user), SOURCE)
    assert complaint in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("cluster", "complaint"),
    [
        ({"server": "http://east.example"}, "cluster.server must be of the form https://host:port"),
        ({"server": ""}, "cluster.server must be of the form https://host:port"),
        ({"server": "https://"}, "cluster.server must be of the form"),
        ({"server": "https://east:99999"}, "cluster.server must be of the form"),
        ({"server": "https://[::1"}, "cluster.server must be of the form"),
        ({"server": "https://a..b"}, "cluster.server must be of the form"),
        ({"server": f"https://admin:{SECRET}@east"}, "cluster.server must be an address and nothing more"),
        ({"server": 1}, "cluster.server must be text on one line"),
        ({"insecure-skip-tls-verify": True}, "cluster.insecure-skip-tls-verify would let anybody answer"),
        ({"certificate-authority": "/etc/passwd"}, "give certificate-authority-data instead"),
        ({"certificate-authority-data": "%"}, "certificate-authority-data is not base64"),
        ({"tls-server-name": "..a"}, "cluster.tls-server-name must be the name of a host"),
        ({"proxy-url": "socks5://proxy"}, "cluster.proxy-url must be of the form http or https://host:port"),
    ],
)
def test_clusters_are_verified_and_read_no_files(cluster: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_embedded(kubeconfig(cluster), SOURCE)
    assert complaint in str(caught.value)
    assert SECRET not in str(caught.value)
