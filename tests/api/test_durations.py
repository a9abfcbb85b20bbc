"""Durations mean what Go takes them to mean, and a wrong one names itself."""

from datetime import timedelta

import pytest

from rollouts.api.durations import format_duration, parse_duration, parse_pause


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("-0", 0),
        ("5s", 5),
        ("+5s", 5),
        ("-5s", -5),
        ("30m", 1800),
        ("1h30m", 5400),
        ("1h2m3s", 3723),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("1.s", 1),
        ("250ms", 0.25),
        ("7us", 7e-6),
        ("7µs", 7e-6),
        ("7\u03bcs", 7e-6),
        ("1999ns", 1e-6),
        ("-1999ns", -1e-6),
        ("1s1s", 2),
        ("3m1h", 3780),
        ("2562047h47m16.5s", 9223372036.5),
    ],
)
def test_go_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "+", "-", "1d", "30", "1h 5m", " 5s", "5s ", "s", ".s", "1..5s", "--5s", "5S", "1h5", "abc", "2562048h", "٣s"],
)
def test_what_go_refuses_is_refused_with_the_text_and_a_way_out(text: str) -> None:
    with pytest.raises(ValueError, match="duration") as refusal:
        parse_duration(text)
    assert repr(text) in str(refusal.value)


def test_a_hostile_text_is_refused_quickly() -> None:
    with pytest.raises(ValueError, match="292 years"):
        parse_duration("9" * 100_000 + "h")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(0, 0), (90, 90), ("90", 90), ("+90", 90), ("1m", 60), ("1.9s", 1), ("999ms", 0), ("0", 0), ("1h30m", 5400)],
)
def test_a_pause_is_in_seconds_or_in_go_notation(value: int | str, seconds: int) -> None:
    assert parse_pause(value) == timedelta(seconds=seconds)


@pytest.mark.parametrize("value", [-1, "-1", "-5s", "-1ms", "1d", "", "1.5", "soon", 2**31, "9" * 10_000, "600000h"])
def test_a_wrong_pause_names_itself(value: int | str) -> None:
    with pytest.raises(ValueError, match=r"duration|negative|too long") as refusal:
        parse_pause(value)
    assert repr(value) in str(refusal.value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.9, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3600, "1h"),
        (3723, "1h2m3s"),
        (90_061, "25h1m1s"),
        (-61, "-1m1s"),
    ],
)
def test_durations_are_written_short(seconds: float, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text
