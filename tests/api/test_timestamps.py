"""Times on the wire are RFC 3339; here they are aware and in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from rollouts.api.timestamps import format_micro_time, format_time, parse_time


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-02-29T12:00:00Z", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2024-02-29T14:00:00+02:00", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("2024-02-29T12:00:00.25Z", datetime(2024, 2, 29, 12, 0, 0, 250_000, tzinfo=UTC)),
        ("2024-02-29T12:00:00.123456789Z", datetime(2024, 2, 29, 12, 0, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_any_offset_and_any_fraction_is_read(text: str, instant: datetime) -> None:
    parsed = parse_time(text)
    assert parsed == instant
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2024-02-29",
        "2024-02-29T12:00:00",
        "2024-02-30T12:00:00Z",
        "20240229T120000Z",
        "2024-02-29 12:00:00Z",
    ],
)
def test_what_is_no_time_names_itself(text: str) -> None:
    with pytest.raises(ValueError, match="is no time") as refusal:
        parse_time(text)
    assert repr(text) in str(refusal.value)


def test_times_are_written_in_utc() -> None:
    instant = datetime(2024, 2, 29, 14, 0, 1, 42, tzinfo=timezone(timedelta(hours=2)))
    assert format_time(instant) == "2024-02-29T12:00:01Z"
    assert format_micro_time(instant) == "2024-02-29T12:00:01.000042Z"


def test_the_last_years_that_there_are_leave_no_room_for_a_delay() -> None:
    for year in (9930, 9999):
        with pytest.raises(ValueError, match="is no time"):
            parse_time(f"{year}-12-31T23:59:59Z")
    assert parse_time("9929-12-31T23:59:59Z") + timedelta(seconds=2**31 - 1)
