"""Is whoever fights over a router's object found in its managedFields, and named?"""

from dataclasses import dataclass
from typing import Any

import pytest

from rollouts.plan.contested import SOMEBODY, last_writer, overwriter

US, ARGO = "rollouts-controller", "argocd-controller"


def entry(manager: str, second: int, **more: Any) -> dict[str, Any]:
    return {"manager": manager, "time": f"2026-01-01T00:00:{second:02}Z", **more}


@dataclass(frozen=True)
class Row:
    """What stands in managedFields, who wrote last, and who wrote over us."""

    says: str
    fields: Any
    last: str
    over: str = ""

    def __str__(self) -> str:
        return self.says


ROWS = (
    Row("nobody is known", None, SOMEBODY),
    Row("rubbish tells nothing", [1, {}], SOMEBODY),
    Row("only we have written", [entry(US, 1)], SOMEBODY),
    Row("whoever made it isn't against us", [entry("kubectl", 1), entry(US, 2)], "kubectl"),
    Row("somebody wrote after us", [entry("kubectl", 1), entry(US, 2), entry(ARGO, 3)], ARGO, ARGO),
    Row("times are whole seconds", [entry(US, 3), entry(ARGO, 3)], ARGO, ARGO),
    Row("a gateway writes the status", [entry(US, 1), entry("contour", 3, subresource="status")], SOMEBODY),
    Row("nothing of ours is left in it", [entry(ARGO, 3)], ARGO),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_who_has_written(row: Row) -> None:
    raw = {"metadata": {"managedFields": row.fields}}
    assert last_writer(raw, US) == row.last
    assert overwriter(raw, US) == row.over
