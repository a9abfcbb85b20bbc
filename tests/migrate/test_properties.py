"""What holds of every migration? There and back is where one was, and no step takes pods that aren't replaced."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollouts.migrate.backward import to_deployment
from rollouts.migrate.course import course, decide
from rollouts.migrate.forward import to_rollout
from rollouts.migrate.objects import without_server_fields
from rollouts.migrate.scalers import scales
from rollouts.migrate.steps import Done, Seen, Stuck, after
from rollouts.migrate.wish import ScaleDown, Wish
from tests.migrate.given import HELD, capacity, held_service, hpa, live_deployment, live_rollout
from tests.wire.objects import deployment

Json = dict[str, Any]

counts = st.integers(0, 20)
bounds = st.one_of(counts, counts.map(lambda number: f"{number}%"))
strategies = st.fixed_dictionaries(
    {"type": st.just("RollingUpdate")},
    optional={},
).flatmap(
    lambda base: st.dictionaries(st.sampled_from(["maxSurge", "maxUnavailable"]), bounds, min_size=1).map(
        lambda given: {**base, "rollingUpdate": given}
    )
)
specs = st.fixed_dictionaries(
    {},
    optional={
        "strategy": strategies,
        "minReadySeconds": counts,
        "revisionHistoryLimit": counts,
        "progressDeadlineSeconds": st.integers(21, 900),
        "paused": st.booleans(),
    },
)


@given(specs, st.one_of(st.none(), counts))
def test_there_and_back_is_the_same_deployment(spec: Json, replicas: int | None) -> None:
    """Whatever both kinds can say."""
    before = deployment("web", replicas, **spec)
    rollout, _ = to_rollout(before, Wish())
    back, _ = to_deployment(rollout)
    assert back == without_server_fields(before)
    assert list(back["spec"]) == list(before["spec"])


WISHES = st.sampled_from(
    [Wish(), Wish(keeps_deployment=True), Wish(workload_ref=ScaleDown.NEVER), Wish(is_reverse=True)]
)
scalers = st.lists(st.integers(0, 2), max_size=2).map(
    lambda numbers: tuple(hpa("Deployment" if number else "Rollout") for number in numbers)
)
services = st.sampled_from([(), (held_service(),), (held_service(), held_service("web-canary"))])


def starts() -> st.SearchStrategy[Seen]:
    size = st.integers(0, 5)
    there = st.builds(
        lambda replicas, found: Seen(deployment=live_deployment(replicas), scalers=found),
        size,
        scalers,
    )
    back = st.builds(
        lambda replicas, found, held: Seen(rollout=live_rollout(replicas), scalers=found, services=held),
        size,
        scalers,
        services,
    )
    return there | back


@given(starts(), st.lists(st.tuples(WISHES, st.integers(0, 8)), max_size=4), WISHES)
def test_no_step_takes_pods_that_are_not_replaced(seen: Seen, turns: list[tuple[Wish, int]], last: Wish) -> None:
    """From any start, and although people change their minds between any two steps."""
    floor = capacity(seen)
    for wish, number in [*turns, (last, 100)]:
        for _ in range(number):
            decision = decide(seen, wish)
            if isinstance(decision, Done | Stuck):
                break
            seen = after(seen, decision)
            assert capacity(seen) >= floor, decision
    end = course(seen, last).end
    if isinstance(end, Done):
        source, holder = ("Rollout", seen.deployment) if last.is_reverse else ("Deployment", seen.rollout)
        assert holder is not None
        assert not any(scales(each, source, holder) for each in seen.scalers)
        assert not any(HELD in str(each) or "behavior" in each["spec"] for each in seen.scalers)
        assert isinstance(decide(seen, last), Done)
