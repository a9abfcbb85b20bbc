from datetime import datetime, timedelta

import pytest

from rollouts.view.ages import age, remaining, short
from rollouts.view.jsonable import jsonable
from rollouts.view.status import Waiting


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (200, "3m20s"),
        (1500, "25m"),
        (5 * 3600 + 600, "5h10m"),
        (20 * 3600, "20h"),
        (3 * 86400 + 4 * 3600, "3d4h"),
        (30 * 86400, "30d"),
        (3 * 365 * 86400, "3y"),
    ],
)
def test_lengths_read_as_kubectls(seconds: int, text: str) -> None:
    assert short(timedelta(seconds=seconds)) == text


def test_what_remains_is_rounded_up(now: datetime) -> None:
    assert remaining(now + timedelta(milliseconds=1), now) == "1s"
    assert remaining(now, now) == "0s"
    assert remaining(now - timedelta(hours=1), now) == "0s"


def test_an_age_may_be_unknown(now: datetime) -> None:
    assert age(None, now) == "<unknown>"


def test_views_travel_as_json(now: datetime) -> None:
    assert jsonable((Waiting("a", now, "promote"),)) == [
        {"reason": "a", "until": "2024-05-01T12:00:00Z", "wayOut": "promote"}
    ]
