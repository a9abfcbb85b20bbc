"""Do we answer what Kubernetes' own implementation answers?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rollouts.jsonpath import JSONPathError, Template, compile_template

RECORDED = json.loads(Path(__file__).with_name("cases.json").read_text("utf-8"))
ANSWERS = ("results", "error", "rendered", "executeError", "parseError")


def answer(case: dict[str, Any]) -> dict[str, Any]:
    try:
        template = compile_template(case["template"])
    except JSONPathError as error:
        return {"parseError": str(error)}
    return found(template, case) | rendered(template, case)


def found(template: Template, case: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"results": template.find(RECORDED["documents"][case["document"]], **options(case))}
    except JSONPathError as error:
        return {"error": str(error)}


def rendered(template: Template, case: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"rendered": template.render(RECORDED["documents"][case["document"]], **options(case))}
    except JSONPathError as error:
        return {} if str(error) == case.get("error") else {"executeError": str(error)}


def options(case: dict[str, Any]) -> dict[str, bool]:
    return {
        "allow_missing_keys": case.get("allowMissingKeys", False),
        "whole_numbers": case.get("wholeNumbers", False),
    }


@pytest.mark.parametrize("case", RECORDED["cases"], ids=lambda case: f"{case['document']}: {case['template']!a}")
def test_answers_as_kubernetes_does(case: dict[str, Any]) -> None:
    assert answer(case) == {key: case[key] for key in ANSWERS if key in case}
