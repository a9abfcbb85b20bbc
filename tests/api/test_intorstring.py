"""A string is a percentage, an integer is a count."""

import pytest

from rollouts.api.intorstring import resolve, validate_int_or_percent


@pytest.mark.parametrize(
    ("value", "total", "up", "down"),
    [
        ("25%", 10, 3, 2),
        ("25", 10, 3, 2),
        (3, 10, 3, 3),
        ("3", 10, 1, 0),
        ("0%", 10, 0, 0),
        ("150%", 4, 6, 6),
        ("25%", 0, 0, 0),
    ],
)
def test_values_resolve(value: int | str, total: int, up: int, down: int) -> None:
    assert resolve(value, total, round_up=True) == up
    assert resolve(value, total, round_up=False) == down


@pytest.mark.parametrize("value", ["abc%", "", "%", "1.5%", "25%%", "-5%", " 5%", "٣%", "1" * 5000])
def test_rubbish_does_not_resolve(value: str) -> None:
    with pytest.raises(ValueError, match="is no percentage"):
        resolve(value, 10, round_up=True)


@pytest.mark.parametrize("value", [0, 1, 400, "0", "25", "0%", "25%", "150%"])
def test_good_values_have_no_error(value: int | str) -> None:
    assert validate_int_or_percent(value) is None


def test_each_wrong_value_has_its_sentence() -> None:
    assert validate_int_or_percent(-1) == "-1 is negative: write 0 or more"
    assert validate_int_or_percent("-5%") == "'-5%' is negative: write 0% or more"
    assert validate_int_or_percent("abc%") == (
        "'abc%' is no percentage: write a whole number of pods, or a percentage as in '25%'"
    )
    assert validate_int_or_percent("101%", at_most_100=True) == "'101%' is more than 100%: write at most '100%'"
