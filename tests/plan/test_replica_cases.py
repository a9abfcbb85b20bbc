"""How far do the two ReplicaSets of a canary without a router go in one pass, and where do they end?

A ReplicaSet is written `size/available`, `-` is one that doesn't exist (or a bound that isn't set, or no older
ReplicaSets). A bound in quotes is a string on the wire, as is every percentage; a bare number counts pods.
"""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rollouts.api import keys
from rollouts.plan.observed import ReplicaSet, observe_replica_set
from rollouts.plan.replicas import Bounds, Count, Sizes, next_sizes, others_sizes, resolve_bounds, target_sizes
from rollouts.plan.revisions import Revisions
from rollouts.plan.scaling import scale


def table(text: str) -> list[object]:
    """Turn lines of `cells -> results | sentence` into parameters; the sentence names the case."""
    rows: list[object] = []
    for line in text.strip().splitlines():
        cells, _, rest = line.partition("->")
        results, _, sentence = rest.partition("|")
        rows.append(pytest.param(cells.split(), [int(each) for each in results.split()], id=sentence.strip()))
    return rows


def bound(cell: str) -> int | str | None:
    if cell == "-":
        return None
    return int(cell) if cell.isdigit() else cell.strip('"')


def count(cell: str) -> Count:
    return Count(*(int(each) for each in cell.split("/"))) if cell != "-" else Count()


def counts(cell: str) -> list[Count]:
    return [count(each) for each in cell.split(",")] if cell != "-" else []


BOUNDS = table("""
 0  1     1     ->  0  0 | nothing wanted: no surge and nothing to be unavailable
10  -     -     ->  3  2 | a quarter each by default: surge is rounded up, unavailability down
 3  -     -     ->  1  0 | a quarter of three: no pod may be unavailable
 1  -     -     ->  1  0 | a single pod is replaced by surging
10  "25"  "25"  ->  3  2 | a number in quotes is a percentage
10  25    25    -> 25 10 | a number counts pods, and no more pods can be unavailable than there are
10  "3"   0     ->  1  0 | three percent of ten is one pod of surge
10  3     0     ->  3  0 | three pods of surge
10  0     "3"   ->  0  1 | three percent of ten is no pod, and something must give
10  0     3     ->  0  3 | three pods may be unavailable
10  0     0     ->  0  1 | both nothing: one may be unavailable
10  0%    0%    ->  0  1 | both nothing in percent: one may be unavailable
10  0     9%    ->  0  1 | unavailability that rounds down to nothing without surge: one may be unavailable
10  1%    9%    ->  1  0 | unavailability that rounds down to nothing beside surge stays nothing
 7  15%   15%   ->  2  1 | 1.05 pods: two of surge, one unavailable
10  100%  100%  -> 10 10 | all at once
10  200%  200%  -> 20 10 | surge may be more than the rollout's size, unavailability may not
 1  0     0     ->  0  1 | a single pod that may not surge has to go first
10  -     0     ->  3  0 | one set, the other by default
10  0     -     ->  0  2 | the other way round
""")


@pytest.mark.parametrize(("cells", "expected"), BOUNDS)
def test_bounds(cells: list[str], expected: list[int]) -> None:
    replicas, max_surge, max_unavailable = cells
    bounds = resolve_bounds(int(replicas), bound(max_surge), bound(max_unavailable))
    assert [bounds.surge, bounds.unavailable] == expected


TARGETS = table("""
   0  50  0  ->   0   0 | no replicas, no pods
   1   0  0  ->   0   1 | one pod at no weight is stable
   1   1  0  ->   0   1 | one pod, no surge: it goes where most of the weight is
   1  50  0  ->   1   0 | one pod, no surge: half is a tie, and ties favour the canary
   1  51  0  ->   1   0 | one pod, no surge: more than half is the canary's
   1 100  0  ->   1   0 | one pod at full weight is the canary's
   1   0  1  ->   0   1 | one pod and surge: no weight needs no second pod
   1   1  1  ->   1   1 | one pod and surge: any weight gets a pod on each side
   1  50  1  ->   1   1 | one pod and surge: half is met by two pods
   1  75  1  ->   1   1 | one pod and surge: three quarters still leave a stable pod
   1  99  1  ->   1   1 | one pod and surge: 99 % still leave a stable pod
   1 100  1  ->   1   0 | one pod and surge: full weight needs no second pod
   2   0  0  ->   0   2 | two pods at no weight
   2   1  0  ->   1   1 | two pods: the smallest weight gets a pod
   2  25  0  ->   1   1 | two pods: half a pod is rounded up
   2  75  0  ->   1   1 | two pods, no surge: the tie would take the last stable pod, which stays
   2  99  0  ->   1   1 | two pods, no surge: 99 % leave a stable pod
   2 100  0  ->   2   0 | two pods at full weight
   2   1  1  ->   1   2 | two pods and surge: one of three is nearer to 1 %
   2  33  1  ->   1   2 | two pods and surge: a third is met by three pods
   2  66  1  ->   2   1 | two pods and surge: two thirds by three pods
   2  75  1  ->   2   1 | two pods and surge: 67 % is nearer to 75 % than 50 % is
   2  99  1  ->   2   1 | two pods and surge: 99 % leave a stable pod
   2 100  1  ->   2   0 | two pods and surge: full weight needs no third pod
   3  50  0  ->   2   1 | three pods: half is a tie, the canary gets it
   3  50  1  ->   2   2 | three pods and surge: half is exact with a fourth
   3  99  0  ->   2   1 | three pods: the largest weight leaves a stable one
   3  99  2  ->   3   1 | three pods and surge: a fourth pod comes nearer
   5  10  0  ->   1   4 | half a pod is rounded up
   5  30  0  ->   2   3 | one and a half pods are rounded up
   5  90  0  ->   4   1 | five pods, no surge: the tie would take the last stable pod
   5  90  1  ->   5   1 | five pods and surge: five of six
   7  43  0  ->   3   4 | rounded down where that is nearer
  10   5  0  ->   1   9 | half a pod of ten is rounded up
  10   5  1  ->   1  10 | with surge, one of eleven is nearer to 5 %
  10  15  0  ->   2   8 | a tie in mid-scale favours the canary
  10  15  1  ->   2   9 | with surge, two of eleven are nearer to 15 % than two of ten
  10  25  3  ->   3   8 | more surge than one pod doesn't make the total larger than one more
  10  33  1  ->   3   7 | no surge is used where it wouldn't come nearer
  10  55  1  ->   6   5 | with surge, six of eleven are nearer to 55 %
  10  95  0  ->   9   1 | ten pods, no surge: the tie would take the last stable pod
  10  95  1  ->  10   1 | with surge, the whole canary beside one stable pod
  10  99  0  ->   9   1 | ten pods, no surge: 99 % leave a stable pod
  10  99  1  ->  10   1 | ten pods and surge: 99 % leave a stable pod
  30  99  1  ->  30   1 | thirty pods and surge: 99 % leave a stable pod
1000  33  1  -> 330 670 | exact needs no surge in large rollouts
""")


@pytest.mark.parametrize(("cells", "expected"), TARGETS)
def test_target_is_the_nearest(cells: list[str], expected: list[int]) -> None:
    replicas, weight, surge = (int(each) for each in cells)
    target = target_sizes(Bounds(replicas, surge, 0), weight, has_stable=True)
    assert [target.canary, target.stable] == expected


@pytest.mark.parametrize("weight", [0, 20, 100])
def test_without_a_stable_replica_set_all_pods_are_the_canarys(weight: int) -> None:
    assert target_sizes(Bounds(10, 3, 2), weight, has_stable=False) == Sizes(canary=10, stable=0)


@pytest.mark.parametrize(
    ("weight", "max_weight", "canary"), [(5, 10, 5), (1, 1000, 1), (999, 1000, 9), (1000, 1000, 10)]
)
def test_a_weight_is_a_share_of_the_largest_weight(weight: int, max_weight: int, canary: int) -> None:
    target = target_sizes(Bounds(10, 0, 1), weight, has_stable=True, max_weight=max_weight)
    assert target == Sizes(canary=canary, stable=10 - canary)


# R  W  canary stable older maxSurge maxUnavailable -> canary stable
PASSES = table("""
10  10  0/0   10/10 -   1    1    ->  1  9 | one may come and one may go at once
10  30  0/0   10/10 -   3    0    ->  3 10 | surge lets all three come first
10  30  0/0   10/10 -   0    5    ->  0  7 | without surge three go first, though five might
10   5  0/0   10/10 -   1    1    ->  1 10 | one of eleven is nearest to 5 %: stable keeps all
 1   5  0/0   1/1   -   1    0    ->  1  1 | a single pod gets company at a small weight
 1  95  0/0   1/1   -   1    0    ->  1  1 | a single pod gets company at a large weight
10   0  0/0   10/10 -   1    0    ->  0 10 | no weight: nothing to do
10 100  0/0   10/10 -   1    0    ->  1 10 | full weight starts with the surge
10 100  0/0   10/10 -   0    1    ->  0  9 | full weight without surge starts with a gap
10 100  1/0   10/10 -   1    0    ->  1 10 | stable waits for the canary's first pod
10 100  1/1   10/10 -   1    0    ->  1  9 | one available canary pod frees one stable pod
10 100  1/1   9/9   -   1    0    ->  2  9 | the freed place is the canary's
10  50  0/0   10/10 -   100% 0    ->  5 10 | surge enough for the whole step
10  50  5/0   10/10 -   100% 0    ->  5 10 | none of the canary available: stable stays whole
10  50  5/3   10/10 -   100% 0    ->  5  7 | three available canary pods free three stable ones
10  50  5/5   10/10 -   100% 0    ->  5  5 | all available: the step is done
10  50  5/3   10/10 -   100% 2    ->  5  5 | two may be missing: the step is done with three available
10  20  2/2   8/8   -   25%  25%  ->  2  8 | at its target: nothing to do
10  40  2/2   8/8   -   25%  25%  ->  4  6 | the next step in one pass
10  40  4/2   8/8   -   25%  25%  ->  4  6 | the floor of eight holds with two of four available
10  20  8/8   2/2   -   25%  25%  ->  6  5 | backwards: three more stable, two fewer canary
10   0  4/4   6/6   -   1    0    ->  4  7 | an abort brings stable back before the canary goes
10   0  4/0   10/10 -   1    0    ->  0 10 | an abort drops a canary that never became available at once
10   0  4/0   6/6   -   1    0    ->  4  7 | no place to spare: stable grows by the surge alone
10   0  4/0   6/6   -   0    1    ->  3  6 | no surge: a dead canary pod makes room for a stable one
10   0  5/5   6/6   -   1    0    ->  4  6 | the surge is in use: a canary pod goes first
10   0  5/2   6/4   -   1    0    ->  5  6 | stable isn't available yet: the canary is needed
10  50  5/0   5/5   -   0    5    ->  5  5 | at its target though nothing of the canary is available
10  50  5/0   6/6   -   1    1    ->  5  6 | the last stable pod waits for the canary
10  50  5/5   5/5   2/2 1    1    ->  5  5 | older pods above the ceiling: nothing grows, nothing shrinks
10  50  0/0   8/8   3/3 1    1    ->  0  8 | older pods use up the surge
10  50  0/0   8/8   2/2 1    1    ->  1  8 | one place left beside older pods
10  50  0/0   8/8   0/0 1    1    ->  3  8 | an empty older ReplicaSet doesn't count: stable isn't touched at its floor
10  50  0/0   10/10 2/2 1    1    ->  0 10 | stable doesn't shrink while older pods run
10  50  6/6   5/5   1/1 0    1    ->  6  5 | the canary doesn't shrink while older pods run
10  50  2/2   2/2   1/1,2/2 1 0   ->  3  5 | stable grows first, the canary gets the rest
10 100  9/9   2/2   -   1    0    ->  9  1 | near the end: stable makes room
10 100  10/10 1/1   -   1    0    -> 10  0 | the last stable pod
 5  20  0/0   5/5   -   25   25   ->  1  4 | bare numbers count pods: all is allowed
 5  20  0/0   5/5   -   -    -    ->  1  4 | the defaults allow one up and one down
 8  50  0/0   8/8   -   3    0    ->  3  8 | three pods of surge
 8  50  0/0   8/8   -   "3"  0    ->  1  8 | three percent of surge is one pod
 8  50  0/0   8/8   -   3%   0    ->  1  8 | the same with its sign
 8  50  0/0   8/8   -   0    3    ->  0  5 | three pods may go
 8  50  0/0   8/8   -   0    0    ->  0  7 | neither surge nor unavailability: one may go
 3  50  0/0   3/3   -   -    -    ->  1  3 | a quarter of three: one up, none down
 4  50  0/0   4/4   -   -    -    ->  1  3 | a quarter of four: one up, one down
 8  50  0/0   8/8   -   0    25   ->  0  4 | unavailability is capped, and the target holds
 1  50  0/0   1/1   -   0    1    ->  0  0 | the only pod has to go before its successor
 1 100  0/0   1/1   -   1    0    ->  1  1 | a single pod is replaced by surging
 1 100  1/0   1/1   -   1    0    ->  1  1 | and waits for its successor
 1 100  1/1   1/1   -   1    0    ->  1  0 | and goes when that is available
 2  50  0/0   2/2   -   1    0    ->  1  2 | two pods: the surge first
10  50  5/5   10/4  -   5    0    ->  5  5 | the shrinking side counts by size: its dead pods go
10  50  5/5   10/0  -   5    0    ->  5  5 | a stable that is down altogether doesn't stop the canary
10  50  0/0   10/0  -   1    0    ->  1 10 | a stable that is down: the surge comes
10  50  0/0   10/9  -   0    1    ->  0  9 | a dead stable pod is the one that goes
10  50  0/0   10/8  -   0    3    ->  0  7 | three go, by size, two of them dead
10  50  7/7   7/7   -   1    1    ->  5  6 | both too large: the canary to its target, stable below the ceiling
10  50  7/0   7/7   -   1    1    ->  4  7 | both too large, the canary dead: it makes the ceiling
10  50  7/7   4/4   -   1    1    ->  5  4 | the canary shrinks, stable grows in the next pass
12  50  5/5   5/5   -   1    1    ->  6  6 | scaled up in mid-step: both grow
 5  50  2/2   2/2   -   1    0    ->  3  3 | scaled up to an odd size: the surge makes half exact
 8  50  5/5   5/5   -   1    1    ->  4  5 | scaled down in mid-step: the ceiling first
 4  50  5/5   5/5   -   1    0    ->  2  3 | scaled far down: what must stay available stays with stable
10  10  1/1   20/20 -   1    0    ->  1  9 | halved at the first step
10  10  1/0   20/20 -   1    0    ->  1 10 | halved, and the canary not available: stable keeps the floor
10  10  20/20 9/0   -   1    0    -> 10  1 | stable down: the canary keeps the floor, stable makes the ceiling
10  50  5/7   5/5   -   1    0    ->  5  5 | more available than asked for counts as what is asked for
10 100  0/0   -     -   1    0    -> 10  0 | the first revision comes at once
10  20  4/4   -     -   0    1    -> 10  0 | without a stable one the weight doesn't matter
10 100  4/4   -     6/6 1    0    ->  5  0 | without a stable one, beside older pods: the room that is left
10  20  -     10/10 -   1    1    ->  1  9 | no canary yet: it is planned with the surge
10  20  -     10/10 -   0    1    ->  0  9 | no canary yet, no surge: stable makes room
10   0  -     8/8   -   0    1    ->  0 10 | no canary and none wanted: stable is made whole
""")


@pytest.mark.parametrize(("cells", "expected"), PASSES)
def test_one_pass(cells: list[str], expected: list[int]) -> None:
    replicas, weight, canary, stable, older, max_surge, max_unavailable = cells
    bounds = resolve_bounds(int(replicas), bound(max_surge), bound(max_unavailable))
    target = target_sizes(bounds, int(weight), has_stable=stable != "-")
    sizes = next_sizes(bounds, target, count(canary), count(stable), counts(older), has_canary=canary != "-")
    assert [sizes.canary, sizes.stable] == expected


def replica_set(revision: int, seen: Count) -> ReplicaSet:
    metadata = {
        "name": f"web-{revision}",
        "uid": f"uid-{revision}",
        "annotations": {keys.REVISION: str(revision)},
        "creationTimestamp": f"2026-01-{revision:02}T00:00:00Z",
    }
    spec, status = {"replicas": seen.size}, {"availableReplicas": seen.available}
    return observe_replica_set({"metadata": metadata, "spec": spec, "status": status})


# R  older(oldest first)  maxSurge maxUnavailable available(of all) -> sizes of the older
OLDER = table("""
10  4/4      1  0  10  -> 4   | at the floor: nothing goes
10  4/4      1  0  11  -> 3   | one more than the floor: one goes
10  4/4      0  1  10  -> 3   | one may be missing: one goes
10  4/4      1  0  20  -> 0   | plenty elsewhere: all go
10  4/1      1  0   9  -> 1   | dead pods go first, even below the floor
10  4/1      0  2  10  -> 0   | dead pods go, and what isn't needed with them
10  3/3,3/3  1  0  12  -> 3 1 | the newest of the older goes first
10  3/3,3/3  1  0  14  -> 2 0 | then the one before it
10  3/0,3/3  1  0  11  -> 0 2 | dead pods go whatever their revision
 0  4/4      1  0   4  -> 0   | nothing wanted: nothing stays
10  0/0,2/2  1  0   9  -> 0 2 | under the floor: nothing available goes
""")


@pytest.mark.parametrize(("cells", "expected"), OLDER)
def test_older_replica_sets(cells: list[str], expected: list[int]) -> None:
    replicas, older, max_surge, max_unavailable, available = cells
    bounds = resolve_bounds(int(replicas), bound(max_surge), bound(max_unavailable))
    others = [replica_set(revision, each) for revision, each in enumerate(counts(older), start=1)]
    sizes = others_sizes(bounds, others, int(available))
    assert [sizes[each.name] for each in others] == expected


Fleet = tuple[Count, Count, tuple[Count, ...]]


def size_of(fleet: Fleet) -> int:
    return fleet[0].size + fleet[1].size + sum(each.size for each in fleet[2])


def counted(fleet: Fleet) -> int:
    return fleet[0].counted + fleet[1].counted + sum(each.counted for each in fleet[2])


def planned(bounds: Bounds, target: Sizes, fleet: Fleet) -> Fleet:
    """One pass: the sizes change, no pod becomes available yet."""
    canary, stable, *others = [replica_set(28 - age, each) for age, each in enumerate((*fleet[:2], *fleet[2][::-1]))]
    revisions = Revisions("", "", canary, stable, tuple(reversed(others)), name_is_taken=False, deleting=())
    sizes = scale(revisions, bounds, target, halted=False).sizes

    def resized(each: ReplicaSet) -> Count:
        size = sizes.get(each.name, each.size)
        return Count(size, min(size, each.available))

    return resized(canary), resized(stable), tuple(resized(each) for each in revisions.others)


def run(bounds: Bounds, target: Sizes, fleet: Fleet, *, canary_starts: bool) -> list[Fleet]:
    """Pass after pass until nothing changes; returns every fleet, before and after its pods became available."""
    seen = [fleet]
    for _ in range(200):
        canary, stable, older = planned(bounds, target, fleet)
        seen.append((canary, stable, older))
        stable = Count(stable.size, stable.size)
        canary = Count(canary.size, canary.size) if canary_starts else canary
        if (canary, stable, older) == fleet:
            return seen
        fleet = (canary, stable, older)
        seen.append(fleet)
    raise AssertionError("never comes to rest")


# R  W  canary stable older maxSurge maxUnavailable pods -> canary stable older
RUNS = table("""
10  20 0/0   10/10 -       25% 25%  ready ->  2  8   | a first step
10 100 2/2   8/8   -       25% 25%  ready -> 10  0   | from the first step to the end
10 100 0/0   10/10 -       1   0    ready -> 10  0   | one up, one down, to the end
10 100 0/0   10/10 -       0   1    ready -> 10  0   | one down, one up, to the end
10 100 0/0   10/10 -       0   100% ready -> 10  0   | all down, all up
10   5 0/0   10/10 -       1   1    ready ->  1 10   | the eleventh pod stays at 5 %
10  99 0/0   10/10 -       -   -    ready -> 10  1   | the last stable pod stays at 99 %
 1  50 0/0   1/1   -       1   0    ready ->  1  1   | a single pod and its company
 1  99 0/0   1/1   -       1   0    ready ->  1  1   | a single pod keeps its company up to 99 %
 1 100 0/0   1/1   -       1   0    ready ->  1  0   | a single pod is replaced
 1 100 0/0   1/1   -       0   1    ready ->  1  0   | a single pod is replaced with a gap
 2  99 0/0   2/2   -       1   0    ready ->  2  1   | a third pod at 99 %
10   0 4/4   6/6   -       1   0    ready ->  0 10   | an abort of a healthy canary
10   0 10/10 1/1   -       0   1    ready ->  0 10   | an abort near the end, without surge
20  50 5/5   5/5   -       1   0    ready -> 10 10   | doubled in mid-step
 4  50 8/8   8/8   -       1   0    ready ->  2  2   | scaled far down in mid-step
 0  50 3/3   4/4   -       1   0    ready ->  0  0   | scaled to nothing
10  50 0/0   6/6   4/4     1   0    ready ->  5  5 0 | a third revision in mid-update
10  50 0/0   6/6   2/2,2/2 0   1    ready ->  5  5 0 0 | a fourth revision, without surge
10  50 0/0   6/6   4/0     0   1    ready ->  5  5 0 | a dead second revision makes room at once
 5  20 0/0   5/5   -       -   -    stuck ->  1  4   | a canary that never starts, within the bounds of the first step
10 100 0/0   10/10 -       1   0    stuck ->  1 10   | it costs nothing but the surge
10 100 0/0   10/10 -       0   1    stuck ->  1  9   | or what may be unavailable
10 100 0/0   10/10 -       25% 25%  stuck ->  5  8   | or both
10 100 4/4   6/6   -       25% 25%  stuck ->  9  4   | those that did start count on
10  50 0/0   10/10 -       0   100% stuck ->  5  5   | everything may be unavailable: so it is
10   0 4/0   6/6   -       1   0    stuck ->  0 10   | an abort of a dead canary
10   0 3/0   10/10 -       25% 0    stuck ->  0 10   | an abort of a dead canary in the surge
10  50 0/0   6/6   4/4     1   0    stuck ->  1  6 4 | a dead third revision leaves the second alone
""")


@pytest.mark.parametrize(("cells", "expected"), RUNS)
def test_to_the_end(cells: list[str], expected: list[int]) -> None:
    replicas, weight, canary, stable, older, max_surge, max_unavailable, pods = cells
    bounds = resolve_bounds(int(replicas), bound(max_surge), bound(max_unavailable))
    start = (count(canary), count(stable), tuple(counts(older)))
    target = target_sizes(bounds, int(weight), has_stable=True)
    seen = run(bounds, target, start, canary_starts=pods == "ready")
    assert [each.size for each in (seen[-1][0], seen[-1][1], *seen[-1][2])] == expected
    assert all(counted(fleet) >= min(bounds.floor, counted(start)) for fleet in seen), "availability fell"
    assert all(size_of(fleet) <= max(bounds.ceiling, size_of(start)) for fleet in seen), "too many pods"


def replica_sets(most: int) -> st.SearchStrategy[Count]:
    """ReplicaSets whose status may lag behind: available pods beyond the size are on their way out."""
    return st.builds(Count, st.integers(0, most), st.integers(0, most + 2))


any_bound = st.none() | st.integers(0, 35) | st.integers(0, 120).map("{}%".format)
any_bounds = st.builds(resolve_bounds, st.integers(0, 30), any_bound, any_bound)
any_weight = st.integers(0, 100)
thorough = settings(derandomize=True, max_examples=300, deadline=None)


@thorough
@given(any_bounds, any_weight, replica_sets(35), replica_sets(35), st.lists(replica_sets(9), max_size=2).map(tuple))
def test_no_pass_leaves_the_bounds(
    bounds: Bounds, weight: int, canary: Count, stable: Count, older: tuple[Count, ...]
) -> None:
    before = (canary, stable, older)
    after = planned(bounds, target_sizes(bounds, weight, has_stable=True), before)
    assert min(each.size for each in (after[0], after[1], *after[2])) >= 0
    assert size_of(after) <= max(size_of(before), bounds.ceiling)
    assert counted(after) >= min(counted(before), bounds.floor)


def test_older_pods_on_their_way_out_are_not_given_up_twice() -> None:
    bounds, target = Bounds(10, 5, 0), Sizes(5, 5)
    lagging = (Count(5, 5), Count(0, 0), (Count(5, 10),))
    assert planned(bounds, target, lagging)[2] == (Count(5, 5),)


@thorough
@given(any_bounds, any_weight, replica_sets(35), replica_sets(35))
def test_passes_reach_the_target_as_pods_become_available(
    bounds: Bounds, weight: int, canary: Count, stable: Count
) -> None:
    target = target_sizes(bounds, weight, has_stable=True)
    last = run(bounds, target, (canary, stable, ()), canary_starts=True)[-1]
    assert Sizes(last[0].size, last[1].size) == target


@thorough
@given(any_bounds, st.integers(1, 99))
def test_a_partial_weight_leaves_pods_on_both_sides(bounds: Bounds, weight: int) -> None:
    assume(bounds.replicas > 0 and bounds.ceiling >= 2)
    target = target_sizes(bounds, weight, has_stable=True)
    assert min(target.canary, target.stable) >= 1
    assert bounds.replicas <= target.canary + target.stable <= bounds.replicas + min(1, bounds.surge)
