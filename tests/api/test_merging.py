from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.api.merging import merge_patch, merged

CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("equal objects need nothing", {"a": 1, "b": {"c": [1]}}, {"a": 1, "b": {"c": [1]}}, {}),
    ("a changed value", {"a": 1, "b": 2}, {"a": 1, "b": 3}, {"b": 3}),
    ("a key that is gone", {"a": 1, "b": 2}, {"a": 1}, {"b": None}),
    ("None counts as gone", {"a": 1}, {"a": None}, {"a": None}),
    ("None twice is no change", {"a": None}, {}, {}),
    ("deep inside", {"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": 1}}}, {"a": {"b": {"d": None}}}),
    ("a list is replaced whole", {"a": [1, 2]}, {"a": [1, 3]}, {"a": [1, 3]}),
    ("a list of objects too", {"a": [{"n": 1, "v": 1}]}, {"a": [{"n": 1}]}, {"a": [{"n": 1}]}),
    ("an object takes a number's place", {"a": 5}, {"a": {"b": 1}}, {"a": {"b": 1}}),
    ("an empty object is sent", {}, {"a": {}}, {"a": {}}),
    ("an emptied object stays an object", {"a": {"b": 1}}, {"a": {}}, {"a": {"b": None}}),
    ("a number takes an object's place", {"a": {"b": 1}}, {"a": 5}, {"a": 5}),
    ("False is a value", {"a": True}, {"a": False}, {"a": False}),
]


@pytest.mark.parametrize(("title", "old", "new", "expected"), CASES, ids=[case[0] for case in CASES])
def test_merge_patch(title: str, old: dict[str, Any], new: dict[str, Any], expected: dict[str, Any]) -> None:
    assert merge_patch(old, new) == expected, title


VALUES = st.recursive(
    st.booleans() | st.integers(-3, 3) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_applying_the_patch_gives_the_new_object(old: dict[str, Any], new: dict[str, Any]) -> None:
    patch = merge_patch(old, new)

    assert merged(old, patch) == new
    assert (patch == {}) == (old == new)


def test_apply_leaves_the_target_alone() -> None:
    target = {"a": {"b": 1, "c": 2}}

    assert merged(target, {"a": {"b": None}, "d": [None]}) == {"a": {"c": 2}, "d": [None]}
    assert target == {"a": {"b": 1, "c": 2}}
