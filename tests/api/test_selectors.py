"""Label selectors select what Kubernetes would select."""

from typing import Any

import pytest

from rollouts.api.selectors import format_selector, parse_selector, selector_matches

LABELS = {"app": "web", "tier": "front", "example.com/team": ""}


@pytest.mark.parametrize(
    ("selector", "does_match", "text"),
    [
        ({}, True, "<none>"),
        ({"matchLabels": {"tier": "front", "app": "web"}}, True, "app=web,tier=front"),
        ({"matchLabels": {"app": "db"}}, False, "app=db"),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]}, True, "app in (db,web)"),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False, "app notin (web)"),
        ({"matchExpressions": [{"key": "absent", "operator": "NotIn", "values": ["x"]}]}, True, "absent notin (x)"),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True, "tier"),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, False, "!tier"),
        (
            {"matchLabels": {"b": "1"}, "matchExpressions": [{"key": "a", "operator": "Exists", "values": []}]},
            False,
            "a,b=1",
        ),
    ],
)
def test_objects_match_and_are_written(selector: dict[str, Any], does_match: bool, text: str) -> None:  # noqa: FBT001
    assert selector_matches(selector, LABELS) is does_match
    assert format_selector(selector) == text


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ({"key": "a", "operator": "Is"}, "'Is' is no operator"),
        ({"key": "a", "operator": "In"}, "In needs at least one value"),
        ({"key": "a", "operator": "Exists", "values": ["x"]}, "Exists takes no values"),
    ],
)
def test_a_wrong_expression_is_named(expression: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        selector_matches({"matchExpressions": [expression]}, {})


@pytest.mark.parametrize(
    ("text", "does_match"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        (" app = web , tier != back ", True),
        ("app!=web", False),
        ("absent!=x", True),
        ("app in (web, db)", True),
        ("app notin(web,db)", False),
        ("tier", True),
        ("!tier", False),
        ("! absent", True),
        ("example.com/team=", True),
        ("example.com/team in ()", True),
        ("in=x", False),
        ("notin", False),
    ],
)
def test_text_is_parsed(text: str, does_match: bool) -> None:  # noqa: FBT001
    assert parse_selector(text).matches(LABELS) is does_match


@pytest.mark.parametrize(
    "text",
    ["=", "app=web,", ",app", "app in web", "app in (a", "a b", "app=we b", "-a=b", "a/b/c", "a=-", "a=b=c", "()"],
)
def test_text_that_is_no_selector_is_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="is no label selector") as refusal:
        parse_selector(text)
    assert repr(text) in str(refusal.value)


def test_a_parsed_selector_is_written_sorted() -> None:
    assert str(parse_selector("b=1,a in (y,x),!c")) == "a in (x,y),b=1,!c"
