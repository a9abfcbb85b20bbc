"""What are ReplicaSets and lists of steps named by, and what changes the names?"""

import re
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollouts.plan.hashing import canonical_json, pod_hash, safe_encode, step_hash, template_digest

SAFE = re.compile("[bcdfghjklmnpqrstvwxz2456789]{1,10}")
DIGESTS = st.binary(min_size=32, max_size=32).map(bytes.hex)
thorough = settings(derandomize=True, max_examples=200, deadline=None)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([{"pause": {}}], "6b9b86fbd5"),
        ([{"pause": {}}, {"pause": {}}], "79c9b9f6bf"),
        (None, "5ffbfbbd64"),
        ([], "5ffbfbbd64"),
    ],
    ids=["one pause", "two pauses", "no steps", "an empty list of steps"],
)
def test_steps_are_named_as_the_api_names_them(steps: list[Any] | None, expected: str) -> None:
    assert step_hash(steps) == expected


def test_every_change_of_the_steps_changes_their_name() -> None:
    lists: list[list[dict[str, Any]]] = [
        [],
        [{"setWeight": 20}],
        [{"setWeight": 21}],
        [{"setWeight": 20}, {"pause": {}}],
        [{"pause": {}}, {"setWeight": 20}],
        [{"setWeight": 20}, {"pause": {"duration": 10}}],
        [{"setWeight": 20}, {"pause": {"duration": "10"}}],
        [{"setWeight": 20}, {"pause": {"duration": "10s"}}],
        [{"setWeight": 20}, {"pause": {}}, {"setWeight": 100}],
        [{"setCanaryScale": {"weight": 20}}],
        [{"setCanaryScale": {"replicas": 20}}],
    ]
    assert len({step_hash(each) for each in lists}) == len(lists)


def test_the_order_of_a_steps_fields_does_not_matter() -> None:
    one = {"setCanaryScale": {"replicas": 1, "weight": 2}}
    assert step_hash([one]) == step_hash([{"setCanaryScale": dict(reversed(one["setCanaryScale"].items()))}])


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "4"), (1234567890, "56789bcdf4"), (4294967295, "86f8fbc6f9"), (2166136261, "65bb57b6b5")],
)
def test_digits_in_the_safe_alphabet(number: int, expected: str) -> None:
    assert safe_encode(number) == expected


TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": {"app": "web"}, "annotations": {"note": ""}},
    "spec": {
        "containers": [
            {"name": "web", "image": "web:1", "args": ["a", "b"], "ports": [{"containerPort": 80}]},
            {"name": "log", "image": "log:1", "resources": {"limits": {"cpu": "1"}}},
        ],
        "volumes": [{"name": "v", "emptyDir": {}}],
        "terminationGracePeriodSeconds": 30,
        "hostNetwork": False,
    },
}


def with_nothing(value: Any) -> Any:
    """The same, said with nulls and empty lists, its keys the other way round."""
    if isinstance(value, dict):
        turned = {key: with_nothing(each) for key, each in reversed(value.items())}
        return {"nothing": None, **turned, "none": []}
    return [with_nothing(each) for each in value] if isinstance(value, list) else value


def changed(value: Any) -> list[Any]:
    """Every way to change one thing: a value, a key, an item left out, doubled or moved."""
    if isinstance(value, dict):
        changes: list[Any] = [{**value, "more": 1}]
        for key, each in value.items():
            rest = {name: other for name, other in value.items() if name != key}
            changes += [rest, {**rest, f"{key}x": each}]
            changes += [{**value, key: change} for change in changed(each)]
        return changes
    if isinstance(value, list):
        changes = [[*value, value[-1]]]
        changes += [value[:-1], value[::-1]] if len(value) > 1 else []
        changes += [[*value[:i], change, *value[i + 1 :]] for i, each in enumerate(value) for change in changed(each)]
        return changes
    return [not value] if isinstance(value, bool) else [f"{value}x", 0]


def test_a_digest_does_not_hear_what_means_nothing() -> None:
    assert template_digest(with_nothing(TEMPLATE)) == template_digest(TEMPLATE)


def test_a_digest_hears_every_change() -> None:
    everything = [TEMPLATE, *changed(TEMPLATE)]
    distinct = [each for i, each in enumerate(everything) if each not in everything[:i]]
    assert len(distinct) > 80
    assert len({template_digest(each) for each in distinct}) == len(distinct)


@pytest.mark.parametrize(
    ("one", "another"),
    list(combinations([0, 1, False, True, "", "0", "1", "true", {}, [0], [[]], [{}], 1.5, "1.5"], 2)),
    ids=repr,
)
def test_a_digest_tells_values_apart(one: Any, another: Any) -> None:
    assert template_digest({"x": one}) != template_digest({"x": another})
    assert template_digest({"x": one}) != template_digest({})


def test_empty_mappings_and_strings_and_items_of_lists_count() -> None:
    assert canonical_json({"b": {}, "a": "", "c": [None, []], "d": None, "e": []}) == b'{"a":"","b":{},"c":[null,[]]}'


def test_a_digest_is_of_all_of_the_text() -> None:
    digest = template_digest({"spec": {"containers": []}})
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert digest == template_digest({"spec": {}})


@thorough
@given(DIGESTS, st.integers(1, 2**31))
def test_names_are_safe_and_stable(digest: str, collisions: int) -> None:
    names = [pod_hash(digest, None), pod_hash(digest, 0), pod_hash(digest, collisions)]
    assert all(SAFE.fullmatch(each) for each in names)
    assert names[0] == names[1] == pod_hash(digest, None)


def test_each_collision_gives_another_name() -> None:
    digest = template_digest(TEMPLATE)
    assert len({pod_hash(digest, count) for count in range(100)}) == 100


def test_digests_give_different_names() -> None:
    names = {pod_hash(template_digest({"spec": {"revision": revision}}), None) for revision in range(1000)}
    assert len(names) == 1000


@thorough
@given(st.lists(st.dictionaries(st.sampled_from(["setWeight", "pause", "analysis"]), st.integers(0, 9)), max_size=5))
def test_names_of_steps_are_safe(steps: list[dict[str, int]]) -> None:
    assert SAFE.fullmatch(step_hash(steps))
