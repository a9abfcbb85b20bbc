"""Does the called step of the page about writing one work, and pass its conformance tests?"""

from typing import Any

from rollouts.ports.testing import CalledStepConformance, StepConformance
from tests.docs.pages import ROOT, blocks

PAGE = ROOT / "docs" / "how-to" / "write-a-step.md"


def test_the_example_passes_the_conformance_tests() -> None:
    code = "\n".join(block.text for block in blocks(PAGE) if block.language == "python")
    names: dict[str, Any] = {"__name__": "change_freeze"}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 - the page's own code
    spec = names["Freeze"](url="https://calendar.example")

    class Suite(CalledStepConformance, StepConformance):
        step = names["ChangeFreeze"]()
        specs = (spec,)
        answers = (b"",)

    suite, tests = Suite(), [name for name in dir(Suite) if name.startswith("test_")]
    assert len(tests) > 10
    for name in tests:
        if name != "test_good_answers_make_an_answer":  # its good answer is a status, not a body
            getattr(suite, name)()
