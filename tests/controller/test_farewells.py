"""What becomes of the objects of traffic routers when a Rollout is gone?"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from rollouts.api.merging import merged
from rollouts.controller.farewells import PATIENCE, Farewells
from rollouts.guard import Guard
from rollouts.kube.client import Api
from rollouts.kube.errors import ApiError, Conflict, Forbidden, NotFound
from rollouts.kube.resources import ROLLOUTS, Resource
from tests.controller.harness import KEY
from tests.controller.world import error
from tests.plan.given import ONE, Raw, stable
from tests.routing import KIT, SPLIT, by_router, split, written_down

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

GONE: Raw = written_down(stable(by_router()))
UID = GONE["metadata"]["uid"]


@dataclass
class Server:
    """Has a split, and perhaps a Rollout under the name. `fails` are raised by the next writes."""

    split: Raw = field(default_factory=lambda: dict(split({"c": 20, "s": 80})[SPLIT] or {}))
    rollout: Raw | None = None
    is_served: bool = True
    fails: list[ApiError] = field(default_factory=list)
    writes: int = 0

    async def of(self, _: str) -> Api:
        return cast("Api", self)

    async def fetch(self, path: str) -> Raw:
        if not self.is_served:
            raise error(NotFound, 404, "NotFound")
        if path.endswith(SPLIT.group):
            return {"preferredVersion": {"version": "v1"}}
        return {"resources": [{"name": "splits", "kind": SPLIT.kind, "namespaced": True}]}

    async def get(self, resource: Resource, _: str, __: str) -> Raw:
        found = self.rollout if resource == ROLLOUTS else self.split
        if found is None:
            raise error(NotFound, 404, "NotFound")
        return found

    async def patch(self, _: Resource, __: str, ___: str, body: Mapping[str, Any]) -> Raw:
        self.writes += 1
        if self.fails:
            raise self.fails.pop(0)
        self.split = merged(self.split, body)
        return self.split

    @property
    def shares(self) -> dict[str, int]:
        return {each["to"]: each["weight"] for each in self.split["spec"]["shares"]}

    async def hears_farewell(self, raw: Raw = GONE, successor: Raw | None = None) -> None:
        """Have a controller take leave of a Rollout, until it has no more to say."""
        async with Farewells(cast("Api", self), self.of, KIT, Guard(), lambda _: successor) as farewells:
            farewells.say(KEY, raw)
            farewells.say(KEY, raw)
            await asyncio.sleep(sum(PATIENCE) + 1)
            assert not farewells._work


async def test_stable_gets_all_traffic_by_one_write() -> None:
    server = Server()
    await server.hears_farewell()
    assert (server.shares, server.writes) == ({"c": 0, "s": 100}, 1)


async def test_what_others_are_faster_with_is_tried_again() -> None:
    server = Server(fails=[error(Conflict, 409, "Conflict"), error(Conflict, 409, "Conflict")])
    await server.hears_farewell()
    assert (server.shares, server.writes) == ({"c": 0, "s": 100}, 3)


async def test_it_is_given_up_some_day(capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(fails=[error(Forbidden, 403, "Forbidden", "no right to patch") for _ in PATIENCE])
    await server.hears_farewell()
    assert (server.shares, server.writes) == ({"c": 20, "s": 80}, len(PATIENCE))
    assert "not given back" in capsys.readouterr().out


@pytest.mark.parametrize(
    "server",
    [
        Server(rollout={**GONE, "metadata": {**GONE["metadata"], "labels": {"instance": "another controller's"}}}),
        Server(is_served=False),
    ],
    ids=["it isn't gone", "the kind isn't served any more"],
)
async def test_nothing_is_done(server: Server) -> None:
    await server.hears_farewell()
    assert (server.shares, server.writes) == ({"c": 20, "s": 80}, 0)


async def test_a_rollout_that_never_used_a_router_has_nothing_to_give_back() -> None:
    server = Server()
    await server.hears_farewell(stable(by_router(), canary={"stablePingPong": ONE}))
    assert server.writes == 0


async def test_what_its_successor_uses_is_the_successors() -> None:
    server = Server(rollout={**GONE, "metadata": {**GONE["metadata"], "uid": "another"}})
    await server.hears_farewell(successor=stable(by_router()))
    assert server.writes == 0
    await server.hears_farewell(successor=stable(by_router(split="another")))
    assert server.shares == {"c": 0, "s": 100}


async def test_it_ends_with_the_controller() -> None:
    server = Server(fails=[error(Forbidden, 403, "Forbidden") for _ in PATIENCE])
    async with Farewells(cast("Api", server), server.of, KIT, Guard(), lambda _: None) as farewells:
        farewells.say(KEY, GONE)
        await asyncio.sleep(5)
    assert server.shares == {"c": 20, "s": 80}
