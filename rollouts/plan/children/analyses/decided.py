"""Is it decided already how an update ends, so that no analysis of it is going to be made any more?

Then a template that has vanished, or that can't be read, keeps nobody from going back, or from promoting in full.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from rollouts.plan.analysis.assess import ERROR, FAILED
from rollouts.plan.observed import Observed
from rollouts.plan.revisions import sort_out
from rollouts.plan.state import State

Raw = Mapping[str, Any]

_BAD = frozenset({FAILED, ERROR})


def needs_no_analysis(here: Observed) -> bool:
    """Whether people have aborted or promoted the present update, or one of its analyses has failed."""
    at = State.of(here.status, 0)
    if at.pod_hash != sort_out(here).pod_hash or at.step_hash != here.step_hash:
        return False  # another update begins, and nothing is known of that
    names = {each.name for each in at.runs.values()}
    has_failed = _any_bad(here.runs, names) or _any_bad(here.experiments, {at.experiment})
    return at.abort or at.promote_full or has_failed


def _any_bad(children: Iterable[Raw], names: set[str]) -> bool:
    return any(
        (each.get("status") or {}).get("phase") in _BAD for each in children if each["metadata"]["name"] in names
    )
