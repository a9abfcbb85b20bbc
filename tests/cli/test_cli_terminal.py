"""What reaches a terminal: colours and a live screen, unless somebody asks for plain text."""

from pathlib import Path

import pytest

from tests.cli.fake_api import FakeApi, write_kubeconfig
from tests.cli.terminal import started


def on_terminal(kubeconfig: Path, *words: str, until: str = "", times: int = 1, **environ: str) -> str:
    """Run a command with a terminal for its output, and return what arrives there.

    With `until` it is ended once that text has arrived so many times.
    """
    text = ""
    with started(*words, KUBECONFIG=str(kubeconfig), **environ) as (process, chunks):
        for chunk in chunks:
            text += chunk
            if until and text.count(until) >= times:
                process.terminate()
    assert until or process.returncode == 0, text
    return text


@pytest.fixture
def kubeconfig(api: FakeApi, tmp_path: Path) -> Path:
    return write_kubeconfig(tmp_path / "config", api.url)


def test_a_terminal_gets_colours(kubeconfig: Path) -> None:
    assert "\x1b[36m‖ Paused" in on_terminal(kubeconfig, "get", "ro", "web")


def test_no_color_means_no_control_codes(kubeconfig: Path) -> None:
    assert "\x1b" not in on_terminal(kubeconfig, "get", "ro", "web", NO_COLOR="1")
    assert "\x1b" not in on_terminal(kubeconfig, "get", "ro", "web", "-w", "--no-color", "--timeout-seconds", "1")


def test_a_live_screen_is_drawn_in_place(kubeconfig: Path) -> None:
    text = on_terminal(kubeconfig, "get", "ro", "web", "-w", until="revision:2", times=2, LINES="60")
    assert "\x1b[1A" in text
    assert "Strategy:" in text
    assert "Traceback" not in text


def test_a_low_terminal_keeps_the_tree(kubeconfig: Path) -> None:
    text = on_terminal(kubeconfig, "get", "ro", "web", "-w", until="web-old-3", times=2, LINES="18")
    assert "Replicas:  4 desired, 1 updated, 4 available" in text
    assert "Strategy:" not in text


def test_a_watched_list_begins_with_its_header_and_says_everything_once(kubeconfig: Path, api: FakeApi) -> None:
    api.on_watch = lambda: api.put("rollouts", {"metadata": {"name": "cart"}, "spec": {"strategy": {"canary": {}}}})
    text = on_terminal(kubeconfig, "list", "ro", "-w", until="cart")
    assert [line.split()[0] for line in text.splitlines() if line] == ["NAME", "web", "cart"]


def test_a_narrow_terminal_keeps_the_branches(kubeconfig: Path) -> None:
    text = on_terminal(kubeconfig, "get", "ro", "web", NO_COLOR="1", COLUMNS="50")
    lines = text.replace("\r", "").splitlines()
    assert max(len(line) for line in lines) <= 50
    assert any(line.startswith("│       └── □ web-new-1") for line in lines)
    assert "KIND" not in text
