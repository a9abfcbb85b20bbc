"""Where does a request go, and what is told about an address that leads nowhere?"""

import pytest

from rollouts.measure.addresses import address_problems, checked, joined
from rollouts.ports import MeasurementError
from rollouts.ports.refusal import host_of


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("http://host", "http://host/api?q=a%20b%26c"),
        ("http://host/", "http://host/api?q=a%20b%26c"),
        ("https://me:pass@host:1/prefix/", "https://me:pass@host:1/prefix/api?q=a%20b%26c"),
        ("http://[::1]:9090", "http://[::1]:9090/api?q=a%20b%26c"),
    ],
)
def test_a_path_is_put_below_an_address(address: str, url: str) -> None:
    assert joined(address, "/api", {"q": "a b&c"}) == url


@pytest.mark.parametrize(
    "address",
    ["", "host", "host:80", "//host", "ftp://host", "http://", "http://[::1", "http://host:port", "http://a b"],
)
def test_what_is_no_url_is_told(address: str) -> None:
    with pytest.raises(MeasurementError, match=r"write it as in https://metrics\.example\.com"):
        checked(address)
    assert dict(address_problems("address", address or None))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://me:pass@host:8443/x?token=y", "host:8443"),
        ("https://host", "host"),
        ("http://[::1", "the server"),
        ("/x", "the server"),
    ],
)
def test_a_message_names_the_host_and_nothing_secret(url: str, host: str) -> None:
    assert host_of(url) == host
