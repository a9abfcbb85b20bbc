"""Do manifests become what they became before? GOLDEN=rewrite writes the outputs anew: read the diff as prose."""

import os
from pathlib import Path

import pytest
import yaml

from rollouts.cli.manifests import read_documents
from rollouts.migrate.documents import convert
from rollouts.migrate.report import report
from rollouts.migrate.wish import ScaleDown, StrategyName, Wish, parse_steps

HERE = Path(__file__).parent / "cases"
BLUE_GREEN = Wish(strategy=StrategyName.BLUE_GREEN, active_service="web", preview_service="web-preview")
BACK = Wish(is_reverse=True)

CASES = {
    "plain": Wish(),
    "steps": Wish(steps=parse_steps("20,pause,50%, pause:10m ,100"), keeps_deployment=True),
    "recreate": Wish(),
    "blue-green": BLUE_GREEN,
    "workload-ref": Wish(workload_ref=ScaleDown.NEVER),
    "workload-ref-progressively": Wish(workload_ref=ScaleDown.PROGRESSIVELY),
    "autoscalers": Wish(),
    "exported": Wish(),
    "several": Wish(),
    "crowded": Wish(),
    "back-canary": BACK,
    "back-crowded": BACK,
    "back-blue-green": BACK,
    "back-workload-ref": BACK,
}


@pytest.mark.parametrize("name", CASES)
def test_the_case_reads_as_before(name: str) -> None:
    documents = [each.content for each in read_documents(str(HERE / f"{name}.in.yaml"))]
    conversion = convert(documents, CASES[name])
    made = {
        "out.yaml": yaml.safe_dump_all(conversion.objects, sort_keys=False),
        "report.txt": report(conversion) + "\n",
    }
    for suffix, text in made.items():
        file = HERE / f"{name}.{suffix}"
        if os.environ.get("GOLDEN") == "rewrite":
            file.write_text(text)
        assert text == file.read_text(), f"{file.name} has changed: GOLDEN=rewrite writes it anew"


def test_no_case_is_left_over() -> None:
    assert {file.name.partition(".")[0] for file in HERE.iterdir()} == set(CASES)
