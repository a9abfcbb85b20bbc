"""How do the tests run `rollouts analyze` on a template, as a person does?"""

import json
import sysconfig
from pathlib import Path
from typing import Any

import yaml

from e2e import arguments
from e2e.kubectl import DEADLINE
from e2e.program import ask

Json = dict[str, Any]
PROGRAM = Path(sysconfig.get_path("scripts")) / "rollouts"
CODES = {"Successful": 0, "Failed": 1, "Inconclusive": 3, "Error": 4}


def metric(provider: Json, condition: str = "", name: str = "errors", **fields: Any) -> Json:
    """Return a metric that is measured once and has to be answered at once."""
    whole = {"name": name, "consecutiveErrorLimit": 0, "provider": provider, "successCondition": condition, **fields}
    return {key: value for key, value in whole.items() if value not in ("", None)}


def template(*metrics: Json, **spec: Any) -> Json:
    """Return a template of these metrics."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": {"name": "shop"},
        "spec": {"metrics": list(metrics), **spec},
    }


async def analyze(obj: Json, *words: str, environment: dict[str, str] | None = None) -> Json:
    """Run a template; return the status, whose phase the exit code has to tell as well."""
    line: list[str | Path] = [PROGRAM, "analyze", "-f", "-", "-o", "json", *words]
    known = {**arguments.environment(), **(environment or {})}
    answer = await ask(*line, within=DEADLINE, stdin=yaml.safe_dump(obj), environment=known)
    assert answer.out, answer.text
    status: Json = json.loads(answer.out)
    assert answer.code == CODES[status["phase"]], answer.text
    return status


def results(status: Json) -> dict[str, tuple[str, Any]]:
    """Return the phase of each metric, and what its last measurement says: its value, or why it has none."""
    found = {}
    for result in status["metricResults"]:
        measurement = result["measurements"][-1]
        said = measurement["message"] if result["phase"] == "Error" else measurement.get("value", "")
        found[result["name"]] = (result["phase"], said)
    return found


def problem(status: Json) -> str:
    """Return why the only metric is an error."""
    ((phase, said),) = results(status).values()
    assert phase == status["phase"] == "Error", status
    return str(said)
