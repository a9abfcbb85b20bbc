"""Are traffic routers' questions asked beside the passes, until the answer is yes, and no longer?"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from rollouts.controller.inquiries import AGAIN, LONGEST, Inquiries
from rollouts.controller.key import Key
from rollouts.ports import Found, Question
from tests.asking import KIT
from tests.controller.harness import Harness, running
from tests.controller.test_traffic import routed, service, weight

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

YES, NO = Found(verified=True, because="it follows", reason="Heard"), Found(verified=False, because="not yet")
UNKNOWN = Found(verified=False, error="the balancer can't be asked: it is asleep")


class Balancer:
    """Answers each question after a second, and follows when it is told to."""

    def __init__(self) -> None:
        self.answer = YES
        self.asked: list[tuple[float, int]] = []

    async def ask(self, question: Question, rollout: Mapping[str, Any]) -> Found:
        assert rollout["metadata"]["namespace"] == "default"
        self.asked.append((asyncio.get_running_loop().time(), *question.facts))
        await asyncio.sleep(1)
        return self.answer


@asynccontextmanager
async def updating(balancer: Balancer, then: Found) -> AsyncIterator[Harness]:
    """Run a Rollout to its rest, and begin an update that is answered otherwise."""
    async with running(kit=KIT, ask=balancer.ask) as here:
        for name in ("c", "s"):
            here.world.put(service(name))
        here.world.put(routed())
        await here.until(lambda: here.status().get("phase") == "Healthy" and is_verified(here), 60)
        balancer.answer = then
        spec = here.world.get_now("Rollout", "web")["spec"]
        template = {**spec["template"]}
        template["spec"] = {**template["spec"], "containers": [{"name": "app", "image": "app:2"}]}
        here.world.change("Rollout", "web", {"spec": {"template": template}})
        await here.until(lambda: weight(here) == 20)
        yield here


def is_verified(here: Harness) -> bool:
    return here.status().get("canary", {}).get("weights", {}).get("verified") is True


async def test_a_step_waits_until_the_answer_is_yes() -> None:
    balancer = Balancer()
    async with updating(balancer, NO) as here:
        await asyncio.sleep(35)
        assert here.status()["currentStepIndex"] == 0
        times = [at for at, weight in balancer.asked if weight == 20]
        assert len(times) == 4
        assert {round(after - before) for before, after in pairwise(times)} == {round(AGAIN) + 1}
        balancer.answer = YES
        await here.until(lambda: here.status()["currentStepIndex"] == 1)
        assert is_verified(here)
        count = len(balancer.asked)
        await asyncio.sleep(2000)
        assert len(balancer.asked) == count
        assert sum(" Heard " in event for event in here.events) == 2


async def test_where_nobody_can_say_it_is_told_once_and_asked_more_and_more_rarely() -> None:
    balancer = Balancer()
    async with updating(balancer, UNKNOWN) as here:
        await asyncio.sleep(2000)
        told = [event for event in here.events if "WeightVerifyError" in event]
        assert told == ["web Warning WeightVerifyError the balancer can't be asked: it is asleep"]
        times = [at for at, weight in balancer.asked if weight == 20]
        pauses = [round(after - before) for before, after in pairwise(times)]
        assert pauses[:4] == [21, 41, 81, 161]
        assert max(pauses) == LONGEST + 1


async def test_an_abort_asks_for_the_way_back_and_for_nothing_else() -> None:
    balancer = Balancer()
    async with updating(balancer, NO) as here:
        here.world.change("Rollout", "web", {"status": {"abort": True}})
        await here.until(lambda: weight(here) == 0)
        await asyncio.sleep(30)
        count = len([1 for _, weight in balancer.asked if weight == 20])
        balancer.answer = YES
        await here.until(lambda: is_verified(here), 60)
        await asyncio.sleep(60)
        assert len([1 for _, weight in balancer.asked if weight == 20]) == count


async def test_a_rollout_that_is_gone_is_not_asked_for() -> None:
    balancer = Balancer()
    async with updating(balancer, NO) as here:
        here.world.remove("Rollout", "web")
        await asyncio.sleep(5)
        count = len(balancer.asked)
        await asyncio.sleep(100)
        assert len(balancer.asked) == count


async def test_what_a_router_tells_is_told_again_from_time_to_time() -> None:
    told: list[float] = []
    now = asyncio.get_running_loop().time
    answers = [Found(verified=None), Found(verified=None), UNKNOWN, Found(verified=None)]

    async def ask(question: Question, rollout: Mapping[str, Any]) -> Found:
        assert (question, rollout["metadata"]["name"]) == (tells, "web")
        told.append(now())
        return answers[min(len(told), len(answers)) - 1]

    class Teller:
        def answered(self, raw: Mapping[str, Any], found: Found) -> None:
            del raw, found

    tells, key = Question("a/b", "the plugin", again=300.0), Key("Rollout", "default", "web")
    async with Inquiries(ask, lambda *_: None, Teller().answered) as inquiries:
        inquiries.want(key, (tells,), {"metadata": {"name": "web"}})
        await asyncio.sleep(1)
        assert inquiries.answers(key) == {tells: Found(verified=None)}
        await asyncio.sleep(1_000)
    assert [later - before for before, later in pairwise(told)][:3] == pytest.approx([300, 300, 20], abs=1)
