"""What a plugin says first."""

import pytest

from rollouts.goplugin.handshake import Address, HandshakeError, Kind, environment, read_line


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("1|1|unix|/run/plugin1|netrpc|\n", Address("unix", "/run/plugin1")),
        ("1|1|unix|/run/plugin1|netrpc||true", Address("unix", "/run/plugin1")),
        ("1|1|tcp|127.0.0.1:10000", Address("tcp", "127.0.0.1:10000")),
    ],
)
def test_where_it_listens(line: str, address: Address) -> None:
    assert read_line(line) == address


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "is it a plugin of Argo Rollouts"),
        ("hello", "is it a plugin of Argo Rollouts"),
        ("1|2|unix|/x|netrpc", "version 2"),
        ("2|1|unix|/x|netrpc", "core 2"),
        ("1|1|unix|/x|grpc", "'grpc'"),
        ("1|1|vsock|/x|netrpc", "nobody can reach it"),
        ("1|1|unix||netrpc", "nobody can reach it"),
    ],
)
def test_what_is_no_plugin_for_us(line: str, says: str) -> None:
    with pytest.raises(HandshakeError, match=says):
        read_line(line)


def test_each_kind_has_its_cookie() -> None:
    cookies = [environment(kind, "/sockets")["ARGO_ROLLOUTS_RPC_PLUGIN"] for kind in Kind]
    assert cookies == ["metricprovider", "step", "trafficrouter"]
