"""Does the provider of the page about writing one work, and pass its own tests?"""

from typing import Any

import pytest
import yaml

from rollouts.api.analysis import AnalysisTemplate
from rollouts.ports import Asked, NoData, Reading, Response
from tests.docs.pages import ROOT, blocks
from tests.measure.driving import NOW

PAGE = ROOT / "docs" / "how-to" / "write-a-provider.md"


def _names() -> dict[str, Any]:
    code = "\n".join(block.text for block in blocks(PAGE) if block.language == "python")
    names: dict[str, Any] = {"__name__": "carbon"}
    exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 - the page's own code
    return names


def test_the_example_passes_the_conformance_tests_of_the_page() -> None:
    suite = _names()["TestCarbonIntensity"]()
    tests = [name for name in dir(suite) if name.startswith("test_")]
    assert len(tests) > 5
    for name in tests:
        getattr(suite, name)()


def test_the_template_of_the_page_is_measured_by_the_example() -> None:
    names = _names()
    provider = names["CarbonIntensity"]()
    (raw,) = (yaml.safe_load(block.text) for block in blocks(PAGE) if block.language == "yaml")
    assert AnalysisTemplate.model_validate(raw)
    plugin = raw["spec"]["metrics"][0]["provider"]["plugin"]
    assert list(plugin) == [provider.key]
    spec = provider.model.model_validate(plugin[provider.key])
    for response, outcome in (
        (Response(200, {}, b"112.5"), Reading(112.5, "112.5")),
        (Response(404, {}, b""), NoData("nothing is known of eu")),
    ):
        flow = provider.flow(spec, Asked(NOW))
        assert next(flow).url == "https://carbon.example/eu"
        with pytest.raises(StopIteration) as end:
            flow.send(response)
        assert end.value.value == outcome
