"""Does the sampler blame the right one?"""

from typing import Any

import aiohttp
import pytest

from e2e.sampler import HASH_LABEL, Sampler
from e2e.stream import Change


def pod(name: str, *, ready: bool = True, leaving: bool = False, revision: str = "a") -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "labels": {HASH_LABEL: revision}}
    if leaving:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    return {"metadata": metadata, "status": {"conditions": [condition]}}


def ready(name: str, revision: str = "a") -> Change:
    return Change("MODIFIED", [pod(name, revision=revision)])


def goes(name: str) -> Change:
    return Change("MODIFIED", [pod(name, leaving=True)])


@pytest.fixture
async def sampler() -> Any:
    async with aiohttp.ClientSession("http://127.0.0.1:1") as api:
        sampler = Sampler(api, "default", "app=web")
        sampler.take_in(Change("LISTED", [pod("one"), pod("two"), pod("three")]))
        yield sampler


async def test_counts_follow_the_events(sampler: Sampler) -> None:
    sampler.take_in(Change("ADDED", [pod("four", ready=False, revision="b")]))
    sampler.take_in(ready("four", "b"))
    sampler.take_in(goes("one"))
    sampler.take_in(Change("DELETED", [pod("one", leaving=True)]))
    told = [(sample.total, sample.ready, sample.available, sample.by_hash) for sample in sampler.samples]
    assert told == [
        (3, 3, 3, {"a": 3}),
        (4, 3, 3, {"a": 3}),
        (4, 4, 4, {"a": 3, "b": 1}),
        (3, 3, 3, {"a": 2, "b": 1}),
        (3, 3, 3, {"a": 2, "b": 1}),
    ]
    assert sampler.minimum() == 3
    assert sampler.maximum_total() == 4
    assert sampler.dips(3) == []


async def test_a_dip_without_an_excuse_is_the_controllers(sampler: Sampler) -> None:
    sampler.take_in(goes("one"))
    sampler.take_in(ready("four"))
    (dip,) = sampler.dips(3)
    assert dip.is_ours
    assert dip.what == "MODIFIED one"
    assert dip.ended is not None


async def test_a_killed_pod_excuses_one_and_no_more(sampler: Sampler) -> None:
    sampler.will_take(["one"])
    sampler.take_in(goes("one"))
    (dip,) = sampler.dips(3)
    assert not dip.is_ours
    assert dip.ended is None
    sampler.take_in(goes("two"))
    (dip,) = sampler.dips(3)
    assert dip.is_ours
    assert dip.worst.available == 1
    assert "the controller's doing" in sampler.report(3)


async def test_an_excuse_ends_when_the_replacement_is_there(sampler: Sampler) -> None:
    sampler.will_take(["one"])
    sampler.take_in(goes("one"))
    sampler.take_in(ready("four"))
    sampler.take_in(goes("two"))
    assert [dip.is_ours for dip in sampler.dips(3)] == [False, True]


async def test_a_lost_history_is_told(sampler: Sampler) -> None:
    sampler.take_in(Change("LOST", []))
    assert sampler.gaps == []
    sampler.take_in(Change("LISTED", [pod("one")]))
    assert len(sampler.gaps) == 1
    assert sampler.minimum() == 1


async def test_availability_waits_for_min_ready_seconds() -> None:
    async with aiohttp.ClientSession("http://127.0.0.1:1") as api:
        sampler = Sampler(api, "default", "app=web", min_ready_seconds=10**10)
        sampler.take_in(Change("LISTED", [pod("one")]))
        assert (sampler.samples[0].ready, sampler.samples[0].available) == (1, 0)
