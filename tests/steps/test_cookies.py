"""Which expressions for a cookie's value would take in the cookies behind it?"""

import re

import pytest

from rollouts.ports.cookies import beyond_the_end, in_header

BEYOND = {
    ".*": ".",
    "v1.2": ".",
    "a|(b.)": ".",
    r"\S+": r"\S",
    r"v\W": r"\W",
    "[^,]*": "[^,]",
    "[ -~]+": "[ -~]",
    "[]^.;]": "[]^.;]",
    "a;b": ";",
    r"a\;b": r"\;",
}
WITHIN = [
    "",
    "yes",
    "yes|no",
    r"v1\.2",
    "[^;]*",
    "[^;,]+",
    "[.]",
    "[a-z0-9_-]{3,}",
    r"\w+\d",
    r"[\w.]+",
    r"\pL+",
    "[[:alpha:]]+",
    "[[a&&b]",
]


@pytest.mark.parametrize("expression", BEYOND)
def test_what_takes_in_the_next_cookie_is_named(expression: str) -> None:
    assert beyond_the_end(expression) == BEYOND[expression]


@pytest.mark.parametrize("expression", WITHIN)
def test_what_stays_within_a_cookie_is_fine(expression: str) -> None:
    assert beyond_the_end(expression) == ""


def test_why_it_matters() -> None:
    header = "insider=no; plan=yes"
    assert re.fullmatch(in_header("insider", ".*yes"), header)
    assert not re.fullmatch(in_header("insider", "[^;]*yes"), header)
