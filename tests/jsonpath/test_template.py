"""What holds beyond Kubernetes' answers: bounds, conveniences, and sense where the original crashes?"""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.jsonpath import (
    JSONPathError,
    JSONPathLimitError,
    compile_template,
    find_first,
    relaxed_template,
)

DIGITS = {"nums": list(range(10))}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": [value]}
    return value


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        ("a.b", "{.a.b}"),
        (".a.b", "{.a.b}"),
        ("{a.b}", "{.a.b}"),
        ("{.a.b}", "{.a.b}"),
        ("..a", "{..a}"),
        ("items[*].v", "{.items[*].v}"),
        ("", ""),
    ],
)
def test_a_bare_path_is_completed(text: str, completed: str) -> None:
    assert relaxed_template(text) == completed


@pytest.mark.parametrize("text", ["{.a}{.b}", "{.a", "a}", "{}", "x{.a}"])
def test_what_is_no_bare_path_is_refused(text: str) -> None:
    with pytest.raises(JSONPathError, match=r"^unexpected path string, expected a 'name1.name2' or"):
        relaxed_template(text)


def test_the_first_result_is_the_first_of_any_action() -> None:
    assert find_first("{.a}", {"a": 1}) == 1
    assert find_first("{.missing}{.a}", {"a": 1}) == 1
    assert find_first("{.a[*]}", {"a": [False, True]}) is False
    assert find_first("text {.a}", {"a": 1}) == "text "


def test_the_default_stands_in_for_no_result() -> None:
    assert find_first("{.missing.b}", {"a": 1}) is None
    assert find_first("{.missing}", {"a": 1}, "none") == "none"
    assert find_first("{.a}", {"a": None}, "none") is None


def test_the_default_hides_no_mistake() -> None:
    with pytest.raises(JSONPathError, match=r"^unclosed action$"):
        find_first("{.a", {}, "none")
    with pytest.raises(JSONPathError, match=r"^string is not array or slice$"):
        find_first("{.a[0]}", {"a": "x"}, "none")


def test_a_template_with_ranges_serves_many_documents() -> None:
    template = compile_template("{range .a[*]}{.n},{end}")
    document = {"a": [{"n": 1}, {"n": 2}]}
    assert template.render(document) == template.render(document) == "1,2,"
    assert template.render({"a": [{"n": 3}]}) == "3,"


def test_maps_are_visited_in_the_order_of_their_names() -> None:
    document = {"b": {"z": 3, "y": 2}, "a": 1}
    assert compile_template("{.*}").render(document) == '1 {"y":2,"z":3}'
    assert compile_template("{..}").find(document) == [[document, document["b"]]]


def test_results_are_the_document_s_own_values() -> None:
    document = {"a": {"b": [1]}}
    assert compile_template("{.a.b}").find(document)[0][0] is document["a"]["b"]


def test_numbers_of_the_template_come_back_plain() -> None:
    results = compile_template("{1}{1.5}{true}{.a.*}").find({"a": "b"})
    assert [[type(value) for value in group] for group in results] == [[int], [float], [bool], [int]]


@pytest.mark.parametrize(
    ("template", "document", "written"),
    [
        ("{[0]}", None, ""),
        ("{range [*]}{@}{end}", None, ""),
        ("{range .a[*]}{range @[*]}x{end}{end}done", {"a": []}, "done"),
        ("{range .a[*]}{range @[*]}x{end}{end}done", {"a": [None, [1]]}, "xdone"),
        ("{range @}{@}{end}", None, "<no value>"),
    ],
)
def test_null_is_empty_where_the_original_crashes(template: str, document: Any, written: str) -> None:
    assert compile_template(template).render(document) == written


def test_numbers_that_json_cannot_hold_are_refused_inside_json_only() -> None:
    assert compile_template("{.a[*]}").render({"a": [float("inf"), float("-inf"), float("nan")]}) == "+Inf -Inf NaN"
    with pytest.raises(JSONPathError, match=r"^json: unsupported value: \+Inf$"):
        compile_template("{.a}").render({"a": [10**400]})


def test_a_value_that_is_not_json_is_refused() -> None:
    with pytest.raises(JSONPathError, match=r"^json: unsupported type: set$"):
        compile_template("{.a}").render({"a": [set()]})


def test_nested_ranges_over_large_lists_stop() -> None:
    with pytest.raises(JSONPathLimitError, match=r"^the template visits more than 1000000 values$"):
        compile_template("{range .nums[*]}" + "{range $}" * 30).find({"nums": list(range(10)) * 10_000})
    with pytest.raises(JSONPathLimitError, match=r"^the template visits more than"):
        compile_template("{range ['nums','nums']}{range ['x','y']}" * 30).find(DIGITS, allow_missing_keys=True)


def test_ranges_without_end_nest_so_deep_and_no_deeper() -> None:
    with pytest.raises(JSONPathLimitError, match=r"^more than 64 nested ranges$"):
        compile_template("{range @}" * 1000).find(DIGITS)


def test_a_long_path_over_nothing_stops() -> None:
    with pytest.raises(JSONPathLimitError, match=r"^the template visits more than"):
        compile_template("{range .nums[*]}{range $.nums[*]}{end}{" + ".x" * 30_000 + "}{end}").find(
            {"nums": [{"nums": []}] * 1_000}, allow_missing_keys=True
        )


def test_unions_that_multiply_stop() -> None:
    with pytest.raises(JSONPathLimitError, match=r"^the template visits more than"):
        compile_template("{" + "['a','a','a','a']" * 12 + "}").find({"a": cyclic()})


def cyclic() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["a"] = value
    return value


def test_descent_into_a_cycle_stops() -> None:
    with pytest.raises(JSONPathLimitError, match=r"^the template visits more than"):
        compile_template("{..}").find(cyclic())


def test_descent_goes_as_deep_as_the_document() -> None:
    assert len(compile_template("{..a}").find(nested(5_000))[0]) == 5_000


def test_a_document_nested_too_deep_is_not_written() -> None:
    with pytest.raises(JSONPathLimitError, match=r"^the value is nested deeper than 200 levels$"):
        compile_template("{.a}").render(nested(5_000))
    with pytest.raises(JSONPathLimitError, match=r"^the value is nested deeper than 200 levels$"):
        compile_template("{[?(@.a)]}").find(nested(5_000))


def test_an_error_message_quotes_no_more_than_a_little_of_the_document() -> None:
    with pytest.raises(JSONPathError, match=r"is not array or slice and cannot be filtered$") as caught:
        compile_template("{[?(@.a)]}").find({"a": ["x" * 100] * 100_000})
    assert len(str(caught.value)) < 5_000


def test_the_output_is_bounded() -> None:
    with pytest.raises(JSONPathLimitError, match=r"^the output is longer than 16777216 characters$"):
        compile_template("{range .nums[*]}" + "{@}" * 20 + "{end}").render({"nums": ["x" * 100_000] * 10})


def test_the_template_is_bounded() -> None:
    with pytest.raises(JSONPathLimitError, match=r"^the template is longer than 65536 characters$"):
        compile_template("x" * 65_537)


@pytest.mark.parametrize("text", ["{" + "9" * 5_000 + "}", "{.a[" + "9" * 5_000 + "]}", "{-" + "." * 5_000 + "}"])
def test_an_endless_number_is_no_number(text: str) -> None:
    with pytest.raises(JSONPathError, match=r"number"):
        compile_template(text)


TOKENS = "{ } [ ] ( ) [?( )] @ $ . .. * , : ' \" \\ == < ! a nums range end {range@.nums[*]} {end} 1 - 2.5 true é {..}"
PIECES = st.sampled_from([*TOKENS.split(" "), " ", "\n", "['a','b']"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(st.sampled_from(["a", "b", "nums"]), values),
    max_leaves=20,
)


@given(st.lists(PIECES, max_size=15).map("".join), DOCUMENTS, st.booleans(), st.booleans())
def test_whatever_is_asked_the_only_error_is_ours(text: str, document: Any, allow: bool, whole: bool) -> None:  # noqa: FBT001
    with contextlib.suppress(JSONPathError):
        template = compile_template(text)
        assert isinstance(template.find(document, allow_missing_keys=allow, whole_numbers=whole), list)
        assert isinstance(template.render(document, allow_missing_keys=allow, whole_numbers=whole), str)
