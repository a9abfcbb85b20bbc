"""Is a Rollout that was found sound checked again as soon as something changes that could make it unsound?"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rollouts.plan import Observed, observe_rollout, plan_rollout
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.soundness import checked, found_problems
from rollouts.registry import load_kit
from tests.plan.children.analyses.given import ERRORS, METRIC, SETS, TEMPLATES, at, canary
from tests.plan.decided import given
from tests.plan.given import Raw, after, blue_green, pointing, previewing

KIT = load_kit()
GREEN = previewing(blue_green("app:2"))
Templates = Mapping[TemplateKey, Raw | None]


def here(raw: Raw | None = None, templates: Templates = TEMPLATES, **seen: Any) -> Observed:
    return given(raw or at(), *SETS, templates=templates, **seen)


def metric(**fields: Any) -> Templates:
    return {**TEMPLATES, TemplateKey(ERRORS): {"metrics": [{**METRIC, **fields}]}}


def renamed(name: str) -> Raw:
    raw = at()
    return {**raw, "metadata": {**raw["metadata"], "name": name}}


def written(raw: Raw, **changes: Any) -> Raw:
    """Return the object as a later write has left it."""
    metadata = {**raw["metadata"], "resourceVersion": "8"}
    return {**raw, "metadata": metadata, "status": {**raw["status"], **changes}}


BECOMES_UNSOUND: Mapping[str, tuple[Observed, Observed, str]] = {
    "a template's condition": (here(), here(templates=metric(successCondition="result <")), "is no condition"),
    "a template is gone": (here(), here(templates={**TEMPLATES, TemplateKey(ERRORS): None}), "does not exist"),
    "the spec": (here(), here(at(raw=canary(maxSurge=0))), "are both 0"),
    "another object under its name": (here(), here(renamed("a" * 240)), "must have at most"),
    "a Service is gone": (
        here(GREEN, services=pointing()),
        here(GREEN, services={**pointing(), "active": None}),
        'Service "active" does not exist',
    ),
}


@pytest.mark.parametrize("name", BECOMES_UNSOUND)
def test_what_was_found_sound_is_checked_again_once_it_has_changed(name: str) -> None:
    sound, unsound, problem = BECOMES_UNSOUND[name]
    known = checked(sound, KIT)
    assert known.sound is not None
    later = checked(replace(unsound, sound=known.sound), KIT)
    assert problem in str(found_problems(later, KIT))
    assert plan_rollout(later, after(100), KIT) == plan_rollout(unsound, after(100), KIT)


def test_what_has_not_changed_is_not_checked_again() -> None:
    class Counted(dict[TemplateKey, Raw | None]):
        reads = 0

        def get(self, key: TemplateKey, default: Any = None) -> Any:
            Counted.reads += 1
            return super().get(key, default)

    first = checked(here(templates=Counted(TEMPLATES)), KIT)
    reads = Counted.reads
    raw = written(at(), readyReplicas=4)
    later = observe_rollout(
        raw, [each.raw for each in first.replica_sets], templates=Counted(TEMPLATES), previous=first
    )
    plan = plan_rollout(checked(later, KIT), after(100), KIT)
    assert (Counted.reads, checked(later, KIT)) == (reads, later)
    assert plan == plan_rollout(here(raw), after(100), KIT)


def test_trouble_is_told_until_it_is_over() -> None:
    unsound = checked(here(templates=metric(count="many")), KIT)
    assert unsound.sound is None
    assert checked(replace(here(), sound=unsound.sound), KIT).sound is not None


def test_other_plugins_have_their_own_say() -> None:
    known, without = checked(here(), KIT), replace(KIT, providers={})
    assert "no such metric provider is installed" in str(found_problems(known, without))
    assert "no such metric provider is installed" in str(found_problems(checked(known, without), without))
