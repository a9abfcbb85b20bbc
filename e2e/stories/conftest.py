"""Which fixtures does a story need? A namespace, a controller that looks after it, and people."""

from collections.abc import AsyncIterator

import pytest_asyncio

from e2e.conftest import StartController
from e2e.controller import Controller
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.stories.story import Story


@pytest_asyncio.fixture
async def watcher(plane: ControlPlane, kubectl: Kubectl) -> AsyncIterator[Story]:
    """A story without a controller: the test starts its own."""
    async with plane.admin.session() as api:
        yield Story(api, kubectl)


@pytest_asyncio.fixture
async def controller(kubectl: Kubectl, start_controller: StartController) -> Controller:
    """A controller for the test's namespace, with the rights of its ServiceAccount."""
    return await start_controller("--namespace", kubectl.namespace)


@pytest_asyncio.fixture
async def story(watcher: Story, controller: Controller) -> Story:
    """A story with a controller."""
    assert controller.running
    return watcher
