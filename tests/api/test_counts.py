"""Which texts tell a number? The rest must not hurt, whatever it is."""

import pytest

from rollouts.api import keys
from rollouts.api.counts import parse_count
from rollouts.plan import observe_replica_set
from tests.plan.given import replica_set


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("12", 12), ("007", 7), ("9" * 18, 10**18 - 1)])
def test_a_number_is_read(text: str, number: int) -> None:
    assert parse_count(text) == number


@pytest.mark.parametrize("text", ["", " 1", "-1", "1.0", "two", "²", "٣", "9" * 5000])
def test_anything_else_is_none_and_no_error(text: str) -> None:
    assert parse_count(text) is None
    seen = observe_replica_set(replica_set("app:1", 5, annotations={keys.REVISION: text, keys.DESIRED_REPLICAS: text}))
    assert (seen.revision, seen.desired) == (0, None)
