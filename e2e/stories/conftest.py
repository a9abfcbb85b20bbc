"""Which fixtures does a story need? A namespace, a controller that looks after it, and people."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from e2e.conftest import StartController
from e2e.controller import Controller
from e2e.judging import Judge
from e2e.judging_children import ChildJudge
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.plugin import Plugin
from e2e.recorder import Recorder
from e2e.stories.buttons import ArgoCD
from e2e.stories.errors import Errors, serving_errors
from e2e.stories.story import Story


@pytest.fixture(scope="session")
def judge(argo_cd: Path) -> Judge:
    """Argo CD's scripts and our page for Flux."""
    return Judge(argo_cd)


@pytest.fixture(scope="session")
def run_judge(argo_cd: Path) -> ChildJudge:
    """Argo CD's scripts for AnalysisRuns."""
    return ChildJudge.of_runs(argo_cd)


@pytest.fixture(scope="session")
def experiment_judge(argo_cd: Path) -> ChildJudge:
    """Argo CD's scripts for Experiments."""
    return ChildJudge.of_experiments(argo_cd)


@pytest_asyncio.fixture
async def recorder(plane: ControlPlane, namespace: str) -> AsyncIterator[Recorder]:
    """Keeps every state of the namespace's Rollouts, AnalysisRuns and Experiments."""
    async with plane.admin.session() as api, Recorder(api, namespace) as recording:
        yield recording


@pytest_asyncio.fixture
async def watcher(
    plane: ControlPlane,
    kubectl: Kubectl,
    recorder: Recorder,
    judge: Judge,
    run_judge: ChildJudge,
    experiment_judge: ChildJudge,
) -> AsyncIterator[Story]:
    """A story without a controller: the test starts its own. All tools must say of every state what a person would."""
    async with plane.admin.session() as api:
        yield Story(api, kubectl)
    complaints = [
        *judge.complaints(recorder.states),
        *run_judge.complaints(recorder.runs),
        *experiment_judge.complaints(recorder.experiments),
    ]
    assert not complaints, "\n".join(complaints)


@pytest_asyncio.fixture
async def controller(kubectl: Kubectl, start_controller: StartController) -> Controller:
    """A controller for the test's namespace, with the rights of its ServiceAccount."""
    return await start_controller("--namespace", kubectl.namespace)


@pytest_asyncio.fixture
async def story(watcher: Story, controller: Controller) -> Story:
    """A story with a controller."""
    assert controller.running
    return watcher


@pytest.fixture
def argo(story: Story, argo_rollouts: Path) -> Plugin:
    """`await argo("promote", "web")`: what `kubectl argo rollouts promote web` prints."""
    return Plugin(argo_rollouts, story.kubectl)


@pytest.fixture
def argocd(story: Story, judge: Judge) -> ArgoCD:
    """Argo CD's buttons, pressed by hand."""
    return ArgoCD(story, judge)


@pytest_asyncio.fixture
async def errors() -> AsyncIterator[Errors]:
    """A server that says how many errors there are."""
    async with serving_errors() as server:
        yield server
