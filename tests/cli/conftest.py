from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from rollouts.cli.main import app
from tests.cli.fake_api import KINDS, FakeApi, write_kubeconfig
from tests.cli.simulating import Simulate
from tests.serving import serving_beside

Json = dict[str, Any]

PAUSED = Path(__file__).parent.parent / "view" / "paused.yaml"
ANALYSES = PAUSED.with_name("analyses.yaml")
PLURALS = {kind: plural for plural, (_, kind, _) in KINDS.items()}


@pytest.fixture(scope="module")
def server() -> Iterator[FakeApi]:
    api = FakeApi()
    with serving_beside(api.handle) as api.url:
        yield api


@pytest.fixture
def api(server: FakeApi) -> FakeApi:
    """The server, with the objects of paused.yaml."""
    server.objects.clear()
    server.seen.clear()
    server.fail = lambda _: None
    server.on_watch = server.told = None
    for raw in yaml.safe_load_all(PAUSED.read_text()):
        server.put(PLURALS[raw["kind"]], raw)
    return server


@pytest.fixture
def analyses(api: FakeApi) -> FakeApi:
    """The server, with the objects of analyses.yaml, too."""
    for raw in yaml.safe_load_all(ANALYSES.read_text()):
        api.put(PLURALS[raw["kind"]], raw)
    return api


@pytest.fixture
def rollout(api: FakeApi) -> Json:
    """The Rollout on the server: tests change it in place."""
    found: Json = api.objects["rollouts", "default", "web"]
    return found


@pytest.fixture
def run(api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command line against the server."""
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path / "config", api.url)))
    monkeypatch.delenv("NO_COLOR", raising=False)

    def invoke(*words: str, stdin: str | None = None) -> Result:
        # In a thread: asyncio.run would leave the event loop that a plugin keeps for this one without an owner.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(CliRunner().invoke, app, list(words), prog_name="rollouts", input=stdin).result()

    return invoke


@pytest.fixture
def simulate(tmp_path: Path) -> Simulate:
    """Run `rollouts simulate` on manifests."""

    def run(*objects: Json, scenario: Any = None, words: tuple[str, ...] = ()) -> Result:
        (tmp_path / "web.yaml").write_text(yaml.safe_dump_all(objects))
        line = ["simulate", "-f", str(tmp_path / "web.yaml"), *words]
        if scenario is not None:
            (tmp_path / "scenario.yaml").write_text(yaml.safe_dump(scenario))
            line += ["--scenario", str(tmp_path / "scenario.yaml")]
        return CliRunner().invoke(app, line)

    return run
