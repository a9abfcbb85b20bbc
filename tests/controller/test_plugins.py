"""Is the configuration of compiled plugins read, and waited for where nobody can say what it is?"""

import asyncio
from typing import Any

import pytest

from rollouts.controller.options import Options
from rollouts.controller.plugins import read_plugins
from rollouts.kube.errors import ApiError, Forbidden, NotFound, Unreachable

RAW = {"data": {"stepPlugins": "- {name: a/b, location: file:///x}\n- {name: c}"}}


class Api:
    """Gives one answer after the other."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, str]] = []

    async def get(self, resource: Any, namespace: str, name: str) -> Any:
        del resource
        self.asked.append((namespace, name))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def error(kind: type[ApiError]) -> ApiError:
    return kind("words")


async def read(api: Any, stop: asyncio.Event | None = None) -> list[str]:
    config = await read_plugins(api, Options(controller_namespace="home"), stop or asyncio.Event(), retry=0.01)
    return [each.name for each in config.entries]


async def test_the_config_map_of_the_controllers_namespace() -> None:
    api = Api(RAW)
    assert await read(api) == ["a/b"]
    assert api.asked == [("home", "argo-rollouts-config")]


@pytest.mark.parametrize("kind", [NotFound, Forbidden])
async def test_without_one_there_are_no_plugins(kind: type[ApiError]) -> None:
    assert await read(Api(error(kind))) == []


async def test_an_api_server_that_is_away_is_waited_for() -> None:
    assert await read(Api(error(Unreachable), error(Unreachable), RAW)) == ["a/b"]


async def test_until_the_controller_is_stopped() -> None:
    stop = asyncio.Event()
    stop.set()
    assert await read(Api(), stop) == []
