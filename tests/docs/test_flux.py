"""Do the expressions on the page for Flux say of each state what the page says?"""

import re
from typing import Any

import pytest

from tests.docs.flux import PAGE, Flux

Json = dict[str, Any]
WAITS, PEOPLE_PROMOTE = Flux.from_page(0), Flux.from_page(1)


def seen(phase: str, observed: str = "3", **status: Any) -> Json:
    return {
        "metadata": {"name": "web", "generation": 3},
        "spec": {},
        "status": {"observedGeneration": observed, "phase": phase, **status},
    }


def referring(generation: str | None, observed: str | None, phase: str = "Healthy") -> Json:
    """A Rollout whose template is another object's: the generations that the controller saw, and carried out."""
    obj = seen(phase, **({} if observed is None else {"workloadObservedGeneration": observed}))
    obj["spec"]["workloadRef"] = {"name": "web"}
    if generation is not None:
        obj["metadata"]["annotations"] = {"rollout.argoproj.io/workload-generation": generation}
    return obj


@pytest.mark.parametrize(
    ("obj", "waits", "people_promote"),
    [
        (seen("Healthy"), "Current", "Current"),
        (seen("Progressing"), "InProgress", "InProgress"),
        (seen("Paused"), "InProgress", "Current"),
        (seen("Degraded"), "Failed", "Failed"),
        # The status of the spec before says nothing about this one.
        (seen("Healthy", observed="2"), "InProgress", "InProgress"),
        (seen("Degraded", observed="2"), "InProgress", "InProgress"),
        (seen("Paused", observed="2"), "InProgress", "InProgress"),
        # Nor does the status of the other object's template before.
        (referring("2", "1"), "InProgress", "InProgress"),
        (referring("1", None), "InProgress", "InProgress"),
        (referring("2", "2"), "Current", "Current"),
        (referring("2", "2", "Paused"), "InProgress", "Current"),
        (referring(None, None, "Degraded"), "Failed", "Failed"),  # what it refers to isn't there
        # Right after its creation: no status, or not all of it. Flux asks again.
        ({"metadata": {"generation": 1}, "spec": {}}, "Unknown", "Unknown"),
        ({"metadata": {"generation": 1}, "spec": {}, "status": {}}, "InProgress", "InProgress"),
        ({"metadata": {"generation": 1}, "status": {"observedGeneration": "1"}}, "InProgress", "InProgress"),
    ],
)
def test_a_state_is_read_as_the_page_says(obj: Json, waits: str, people_promote: str) -> None:
    assert (WAITS.health(obj), PEOPLE_PROMOTE.health(obj)) == (waits, people_promote)


def test_the_pages_table_is_what_the_first_expressions_say() -> None:
    words = {"Current": "ready", "InProgress": "goes on waiting", "Failed": "the Kustomization fails at once"}
    table = dict(
        re.findall(r"^\| (Healthy|Progressing|Paused|Degraded) \| ([^|]+?) \|$", PAGE.read_text(), re.MULTILINE)
    )
    assert set(table) == {"Healthy", "Progressing", "Paused", "Degraded"}
    for phase, says in table.items():
        assert says.startswith(words[WAITS.health(seen(phase))])
