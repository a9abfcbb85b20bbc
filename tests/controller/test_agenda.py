import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.controller.agenda import Agenda


def drain(agenda: Agenda[str], now: float = 0.0) -> list[str]:
    keys = []
    while taken := agenda.take(now):
        keys.append(taken.key)
    return keys


def test_keys_come_in_the_order_of_their_arrival_and_each_once() -> None:
    agenda: Agenda[str] = Agenda()
    assert [agenda.add(key, 0) for key in "abab"] == [True, True, False, False]
    assert len(agenda) == 2
    assert drain(agenda) == ["a", "b"]


def test_a_key_added_while_it_runs_runs_once_more_afterwards_and_never_beside_itself() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.add("a", 0)
    assert drain(agenda) == ["a"]
    assert agenda.add("a", 1)
    assert not agenda.add("a", 1)
    assert agenda.take(1) is None
    assert len(agenda) == 1
    agenda.done("a", 2)
    assert drain(agenda) == ["a"]
    agenda.done("a", 3)
    assert drain(agenda) == []
    assert agenda.running == 0


def test_how_long_a_key_was_ready_is_known() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.add("a", 1.5)
    taken = agenda.take(4.0)
    assert taken is not None
    assert taken.waited == 2.5


def test_the_earliest_wake_wins() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.wake("a", 5)
    agenda.wake("a", 3)
    agenda.wake("a", 9)
    assert agenda.next_wake() == 3
    assert agenda.ring(2.9) == 0
    assert agenda.ring(3) == 1
    assert agenda.next_wake() is None
    assert drain(agenda) == ["a"]


def test_a_run_replaces_the_wake_that_was_set_before_it() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.wake("a", 5)
    agenda.add("a", 1)
    agenda.take(1)
    assert agenda.next_wake() is None
    agenda.wake("a", 30)
    agenda.done("a", 2)
    assert agenda.next_wake() == 30


def test_a_wake_that_comes_during_a_run_waits_for_its_end() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.add("a", 0)
    agenda.take(0)
    agenda.wake("a", 1)
    assert agenda.ring(1) == 1
    assert agenda.take(1) is None
    agenda.done("a", 2)
    assert drain(agenda) == ["a"]


def test_back_off_doubles_up_to_its_limit_and_starts_again_after_a_success() -> None:
    agenda: Agenda[str] = Agenda()
    delays = [agenda.retry("a", 0) for _ in range(14)]
    assert delays[:4] == [0.005, 0.01, 0.02, 0.04]
    assert delays[10:] == [5.12, 10.0, 10.0, 10.0]
    agenda.succeeded("a")
    assert agenda.retry("a", 0) == 0.005


def test_a_hopeless_key_does_not_overflow() -> None:
    agenda: Agenda[str] = Agenda()
    assert [agenda.retry("a", 0) for _ in range(2000)][-1] == 10.0


def test_a_forgotten_key_leaves_nothing_behind() -> None:
    agenda: Agenda[str] = Agenda()
    agenda.add("a", 0)
    agenda.wake("a", 1)
    agenda.retry("a", 0)
    agenda.forget("a")
    assert len(agenda) == 0
    assert agenda.next_wake() is None
    agenda.add("b", 0)
    agenda.take(0)
    agenda.add("b", 0)
    agenda.forget("b")
    agenda.done("b", 1)
    assert drain(agenda) == []


def test_moving_a_wake_forward_a_hundred_thousand_times_keeps_the_heap_small() -> None:
    agenda: Agenda[int] = Agenda()
    for turn in range(100_000):
        key = turn % 10
        agenda.add(key, turn)
        agenda.take(turn)
        agenda.wake(key, turn + 900)
        agenda.done(key, turn)
    assert len(agenda._alarms) < 100


@pytest.mark.parametrize("keys", [10_000])
def test_ten_thousand_keys_all_come_back_at_their_time(keys: int) -> None:
    agenda: Agenda[int] = Agenda()
    for key in range(keys):
        agenda.wake(key, float(keys - key))
    assert agenda.ring(keys / 2) == keys // 2
    taken = agenda.take(keys / 2)
    assert taken is not None
    assert taken.key == keys - 1


class Worker:
    """Does with an agenda what a loop might, and checks what it must never see."""

    def __init__(self) -> None:
        self.agenda: Agenda[str] = Agenda()
        self.running: set[str] = set()
        self.unseen: set[str] = set()  # keys with a change that no run has begun after

    def add(self, key: str, now: float) -> None:
        self.agenda.add(key, now)
        self.unseen.add(key)

    def take(self, key: str, now: float) -> None:
        del key
        if taken := self.agenda.take(now):
            assert taken.key not in self.running
            self.running.add(taken.key)
            self.unseen.discard(taken.key)

    def done(self, key: str, now: float) -> None:
        if key in self.running:
            self.running.discard(key)
            self.agenda.done(key, now)

    def wake(self, key: str, now: float) -> None:
        self.agenda.wake(key, now + 2)

    def ring(self, key: str, now: float) -> None:
        del key
        self.agenda.ring(now)


@given(st.lists(st.tuples(st.sampled_from(["add", "take", "done", "wake", "ring"]), st.sampled_from("abc"))))
def test_no_key_ever_runs_twice_at_once_and_no_change_is_lost(moves: list[tuple[str, str]]) -> None:
    worker = Worker()
    for now, (move, key) in enumerate(moves):
        getattr(worker, move)(key, now)
    for now in range(10_000, 10_010):
        for key in "abc":
            worker.done(key, now)
        for key in "abc":
            worker.ring(key, now)
            worker.take(key, now)
    assert not worker.unseen


def test_each_lane_has_its_turn_however_long_the_others_are() -> None:
    agenda: Agenda[str] = Agenda(lane=lambda key: key[0])
    for key in ("a1", "a2", "a3", "a4", "b1", "b2"):
        agenda.add(key, 0)
    agenda.forget("a2")
    assert drain(agenda) == ["a1", "b1", "a3", "b2", "a4"]
    agenda.add("b3", 0)
    agenda.forget("b3")
    assert drain(agenda) == []
