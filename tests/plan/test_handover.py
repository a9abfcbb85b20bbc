"""When does the Deployment that workloadRef names give up its pods?"""

from dataclasses import replace

import pytest

from rollouts.plan import Observed, Refusal
from rollouts.plan.actions import ScaleWorkload
from tests.plan.decided import Decided, Row, decided, planned
from tests.plan.given import Raw, replica_set, stable, updating
from tests.plan.workloads import begun, deployment, given, noted, referring


def says(here: Observed) -> tuple[list[str], list[str]]:
    """Return what is done to the Deployment and the Rollout, and what is said about the Deployment."""
    told = decided(here)
    does = [each for each in told.does if "Deployment" in each or "patch the Rollout" in each]
    return does, [each for each in told.because if "Deployment" in each]


ROWS = (
    Row(
        "never: the Deployment is left alone, whatever happens",
        given(noted(stable(referring())), deployment(), replica_set("app:1", 5)),
        Decided(),
    ),
    Row(
        "onsuccess: it keeps its pods while one of ours is missing",
        given(begun("onsuccess", 4), deployment(), replica_set("app:1", 5, 4)),
        Decided(
            because=(
                "stable has 4 of 5 pods available",
                "Deployment old keeps its pods until all pods of the Rollout are available",
            )
        ),
    ),
    Row(
        "onsuccess: all of ours are there, it gives up all of its own",
        given(begun("onsuccess", 5), deployment(), replica_set("app:1", 5)),
        Decided(
            does=("scale Deployment old from 5 to 0 pods",),
            because=("Deployment old goes from 5 to 0 pods: all pods of the Rollout are available",),
        ),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_whole_plans(row: Row) -> None:
    told = decided(row.here, row.now)
    assert (told.does, told.because) == (row.decided.does, row.decided.because)


@pytest.mark.parametrize(
    ("sentence", "raw", "workload", "pods", "does", "because"),
    [
        (
            "none of ours is available: it keeps its pods",
            begun("progressively", 0),
            deployment(),
            (5, 0),
            [],
            "Deployment old keeps 5 pods while the Rollout has 0 pods available",
        ),
        (
            "two of ours are available: two of its own may go",
            begun("progressively", 2),
            deployment(),
            (5, 2),
            ["scale Deployment old from 5 to 3 pods"],
            "Deployment old goes from 5 to 3 pods: the Rollout has 2 pods available",
        ),
        (
            "one of its own isn't available: it may be one that is that goes",
            begun("progressively", 2),
            deployment(available=4),
            (5, 2),
            ["scale Deployment old from 5 to 4 pods"],
            "Deployment old goes from 5 to 4 pods: the Rollout has 2 pods available",
        ),
        (
            "its counts are from before it was scaled: wait",
            begun("progressively", 3),
            deployment(size=3, available=5, generation=4, observed=3),
            (5, 3),
            [],
            "Deployment old is not scaled down before the counts of pods have settled",
        ),
        (
            "two of ours have failed: it gets pods back",
            begun("progressively", 1),
            deployment(size=2),
            (5, 1),
            ["scale Deployment old from 2 to 4 pods"],
            "Deployment old goes from 2 to 4 pods: the Rollout has only 1 pod available",
        ),
        (
            "but never more than it had at first",
            begun("progressively", 0, first=3),
            deployment(size=1),
            (5, 0),
            ["scale Deployment old from 1 to 3 pods"],
            "Deployment old goes from 1 to 3 pods: the Rollout has only 0 pods available",
        ),
        (
            "it had more than the Rollout asks for: that many are kept until all of ours are there",
            begun("progressively", 4, first=8),
            deployment(size=8),
            (5, 4),
            ["scale Deployment old from 8 to 4 pods"],
            "Deployment old goes from 8 to 4 pods: the Rollout has 4 pods available",
        ),
        (
            "an autoscaler has raised it: nothing is taken from it before all of ours are there",
            begun("progressively", 4),
            deployment(size=8),
            (5, 4),
            [],
            (
                "Deployment old keeps its 8 pods until the Rollout has all of its own, it had 5 at first:"
                " an autoscaler or a person scales it"
            ),
        ),
        (
            "all of ours are available: the rest goes",
            begun("progressively", 5),
            deployment(size=8, available=1),
            (5, 5),
            ["scale Deployment old from 8 to 0 pods"],
            "Deployment old goes from 8 to 0 pods: all pods of the Rollout are available",
        ),
        (
            "it has none left: that is written down",
            begun("progressively", 5),
            deployment(size=0),
            (5, 5),
            ["patch the Rollout: workload-replicas=0"],
            "",
        ),
        (
            "somebody who goes back scales it up again: it is left alone",
            begun("progressively", 5, first=0),
            deployment(size=5),
            (5, 5),
            [],
            (
                "Deployment old has 5 pods again: it has been scaled down once, and what an autoscaler or a person"
                " makes of it now is left alone"
            ),
        ),
        (
            "an annotation that somebody has spoilt: hands off",
            begun("progressively", 5, first="five"),
            deployment(),
            (5, 5),
            [],
            "Deployment old is not scaled: rollout.argoproj.io/workload-replicas is no number: five",
        ),
        (
            "spec.paused: nothing is scaled",
            begun("progressively", 2, paused=True),
            deployment(),
            (5, 2),
            [],
            "",
        ),
    ],
)
def test_progressively(
    sentence: str, raw: Raw, workload: Raw, pods: tuple[int, int], does: list[str], because: str
) -> None:
    here = given(raw, workload, replica_set("app:1", *pods))
    assert says(here) == (does, [because] if because else []), sentence


def test_a_rollout_without_pods_takes_nothing_over() -> None:
    raw = noted(stable(referring("onsuccess", replicas=0), replicas=0), 5)
    assert says(given(raw, deployment(), replica_set("app:1", 0, desired=0)))[0] == []


def test_a_later_revision_begins_no_handover() -> None:
    raw = noted(updating(referring("progressively")))
    here = given(raw, deployment("app:2"), replica_set("app:1", 4), replica_set("app:2", 1, revision=2))
    assert says(here) == ([], [])


def test_a_handover_that_has_begun_goes_on_in_a_later_revision() -> None:
    raw = noted(updating(referring("progressively")), 5)
    here = given(raw, deployment("app:2", size=2), replica_set("app:1", 4, 3), replica_set("app:2", 1, 1, revision=2))
    assert says(here)[0] == ["scale Deployment old from 2 to 1 pods"]


def test_pods_that_go_in_the_same_pass_stand_in_for_nothing() -> None:
    """The Rollout is scaled from 5 to 3 while the Deployment, which had 5 pods, has 1 left."""
    raw = begun("progressively", 5, replicas=3)
    does = decided(given(raw, deployment(size=1), replica_set("app:1", 5))).does
    assert "5 to 3 pods" in does[0]
    assert does[1:] == ("scale Deployment old from 1 to 2 pods",)


def test_a_refusal_is_told() -> None:
    refusal = Refusal("scale", "Deployment", "old", "Forbidden", "no right")
    here = replace(given(begun("onsuccess", 5), deployment(), replica_set("app:1", 5)), refusals=(refusal,))
    assert says(here)[1][-1] == "the API server refuses to scale Deployment old: no right"


def test_the_action_names_what_was_seen() -> None:
    """Where counts mattered, nothing of the Deployment may have changed; else its size mustn't have."""
    plan = planned(given(begun("onsuccess", 5), deployment(), replica_set("app:1", 5)))
    assert plan.actions == (ScaleWorkload("old", "uid-old", 5, 0),)
    plan = planned(given(begun("progressively", 2), deployment(), replica_set("app:1", 5, 2)))
    assert plan.actions == (ScaleWorkload("old", "uid-old", 5, 3, "9"),)
    plan = planned(given(begun("progressively", 2), deployment(size=0), replica_set("app:1", 5, 2)))
    assert plan.actions == (ScaleWorkload("old", "uid-old", 0, 3, "9"),)
