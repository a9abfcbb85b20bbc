"""Are step plugins called beside the passes, each call once, and is every answer written?"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rollouts.plan.calls import Call, Returned
from rollouts.ports import Answer, Open, Shut
from tests import calling
from tests.calling import plugin
from tests.controller.harness import START, Harness, running
from tests.controller.world import rollout
from tests.plugins.strangers import Stands, fall, kit_with, sleep, spin

# Threads know no virtual time: where it is used, the plugin is one of ours.
KIT = replace(calling.KIT, strangers={})
STEPS = [plugin(), {"setWeight": 50}]


def spec(name: str) -> dict[str, Any]:
    return {"spec": {"template": rollout(name, "nginx:2")["spec"]["template"]}}


def with_steps(*steps: Mapping[str, Any], name: str = "web") -> dict[str, Any]:
    raw = rollout(name)
    raw["spec"]["strategy"]["canary"]["steps"] = list(steps)
    return raw


def entries(here: Harness, name: str = "web") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (here.status(name).get("canary") or {}).get("stepPluginStatuses", [])
    return found


def is_done(here: Harness, name: str = "web") -> bool:
    """Whether the update is over, not only the first deploy."""
    status, rollout = here.status(name), here.world.get_now("Rollout", name)
    is_seen = status.get("observedGeneration") == str(rollout["metadata"]["generation"])
    image = rollout["spec"]["template"]["spec"]["containers"][0]["image"]
    return is_seen and image == "nginx:2" and status.get("phase") == "Healthy"


class Service:
    """Answers calls one after the other, each after a while."""

    def __init__(self, *answers: Answer, takes: float = 1.0) -> None:
        self.answers = list(answers)
        self.takes = takes
        self.calls: list[Call] = []
        self.most_at_once = 0
        self._at_once = 0

    async def make(self, call: Call, raw: Mapping[str, Any]) -> Returned:
        assert raw["metadata"]["name"] == "web"
        self.calls.append(call)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(self.takes)
        self._at_once -= 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Returned(call, START, answer)


async def updated(here: Harness, raw: Mapping[str, Any]) -> None:
    here.world.put(dict(raw))
    name = raw["metadata"]["name"]
    await here.until(lambda: here.status(name).get("phase") == "Healthy")
    here.world.change("Rollout", name, spec(name))


@pytest.mark.looptime
async def test_each_call_is_made_once_and_what_it_returns_is_written() -> None:
    service = Service(Answer("Running", "one more", status={"seen": 1}), Answer("Successful", "approved"))
    async with running(kit=KIT, make=service.make) as here:
        await updated(here, with_steps(*STEPS))
        await here.until(lambda: is_done(here), 200)
        (entry,) = entries(here)
    assert [(each.operation, each.number, each.state) for each in service.calls] == [
        ("Run", 1, {}),
        ("Run", 2, {"seen": 1}),
    ]
    assert (entry["phase"], entry["executions"], entry["message"]) == ("Successful", 2, "approved")
    assert service.most_at_once == 1
    assert [each for each in here.events if "StepPluginTransition" in each] == [
        "web Normal StepPluginTransition Step 1: Run of plugin gatekeeper is Running",
        "web Normal StepPluginTransition Step 1: Run of plugin gatekeeper is Successful: approved",
    ]


@pytest.mark.looptime
async def test_while_a_call_takes_long_passes_go_on() -> None:
    service = Service(Answer("Successful"), takes=250)
    async with running(kit=KIT, make=service.make) as here:
        await updated(here, with_steps(*STEPS))
        await here.until(lambda: service.calls)
        here.world.change("Rollout", "web", {"spec": {"replicas": 7}})
        await here.until(lambda: here.status().get("replicas") == 7, 30)
        assert len(service.calls) == 1
        await here.until(lambda: is_done(here), 300)


@pytest.mark.looptime
async def test_an_abort_waits_for_the_call_under_way_and_then_undoes_it() -> None:
    service = Service(Answer("Running"), Answer("Successful", "undone"), takes=20)
    async with running(kit=KIT, make=service.make) as here:
        await updated(here, with_steps(*STEPS))
        await here.until(lambda: service.calls)
        here.world.change("Rollout", "web", {"status": {"abort": True}})
        await here.until(lambda: len(entries(here)) == 2 and entries(here)[1]["phase"] == "Successful", 200)
        assert here.status()["abort"] is True
    assert [each.operation for each in service.calls] == ["Run", "Abort"]
    assert service.most_at_once == 1


@pytest.mark.looptime
async def test_who_is_deleted_is_not_called_for_any_more() -> None:
    service = Service(Answer("Successful"), takes=1e6)
    async with running(kit=KIT, make=service.make) as here:
        await updated(here, with_steps(*STEPS))
        await here.until(lambda: service.calls)
        (key,) = here.calling._work
        here.world.remove("Rollout", "web")
        await here.until(lambda: not here.calling.under_way(key))


DEEDS: dict[str, Any] = {
    "spins": spin,
    "sleeps": sleep,
    "raises": fall,
    "returns a text": lambda *_: "go on",
    "gives no reason": lambda *_: Shut(5),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("deed", DEEDS.values(), ids=DEEDS)
async def test_a_step_that_keeps_no_promise_stops_its_own_rollout_only(deed: Any) -> None:
    """In real time, with real threads: the controller goes on serving the other Rollout."""
    async with running(kit=kit_with(Stands(gate=deed))) as here:
        here.world.put(with_steps({"setWeight": 50}, name="good"))
        await updated(here, with_steps(plugin("stranger"), name="bad"))
        await here.until(lambda: here.status("bad").get("phase") == "Degraded", 20)
        here.world.change("Rollout", "good", spec("good"))
        await here.until(lambda: is_done(here, "good"), 20)
        message = here.status("bad")["message"]
    assert message.startswith("InvalidSpec: The Rollout")
    assert "'stranger'" in message


async def test_a_step_that_is_good_is_asked_in_its_thread() -> None:
    async with running(kit=kit_with(Stands(gate=lambda *_: Open("fine")))) as here:
        await updated(here, with_steps(plugin("stranger"), {"setWeight": 50}))
        await here.until(lambda: is_done(here), 20)
