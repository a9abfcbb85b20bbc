"""The conventions by which pods act out their containers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollouts.devcluster.containers import Container
from rollouts.devcluster.scripts import SLOW, Script, script_of

START = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("what", "container", "notes", "wanted"),
    [
        ("an ordinary image", {"image": "nginx:1"}, {}, {"ready_after": 0.0}),
        ("slow", {"image": "nginx:slow"}, {}, {"ready_after": SLOW}),
        ("crash", {"image": "shop/crash:1"}, {}, {"exit_after": 0.2, "exit_code": 1, "ready_after": None}),
        ("exit-3", {"image": "nginx:exit-3"}, {}, {"exit_after": 0.2, "exit_code": 3, "ready_after": None}),
        ("never-pull", {"image": "nginx:never-pull"}, {}, {"is_pulled": False}),
        ("never-ready", {"image": "nginx:never-ready"}, {}, {"ready_after": None}),
        ("exit N", {"command": ["sh", "-c", "exit 7"]}, {}, {"exit_after": 0.0, "exit_code": 7}),
        ("sleep then exit", {"args": ["sleep 2; exit 1"]}, {}, {"exit_after": 2.0, "exit_code": 1}),
        ("true", {"command": ["/bin/true"]}, {}, {"exit_after": 0.0, "exit_code": 0}),
        ("false", {"command": ["false"]}, {}, {"exit_after": 0.0, "exit_code": 1}),
        ("a command wins over the image", {"image": "a:crash", "command": ["sleep", "9"]}, {}, {"exit_after": 9.0}),
        ("ready-after", {"image": "a"}, {"devcluster/ready-after": "2s"}, {"ready_after": 2.0}),
        ("never ready", {"image": "a"}, {"devcluster/ready-after": "never"}, {"ready_after": None}),
        ("nonsense is ignored", {"image": "a"}, {"devcluster/ready-after": "soon"}, {"ready_after": 0.0}),
        ("exit-code", {"image": "a"}, {"devcluster/exit-code": "4"}, {"exit_after": 0.2, "exit_code": 4}),
        (
            "ready, then a crash",
            {"image": "a:crash"},
            {"devcluster/exit-after": "3s"},
            {"exit_after": 3.0, "exit_code": 1, "ready_after": 0.0},
        ),
    ],
)
def test_what_a_container_does(what: str, container: Any, notes: dict[str, str], wanted: dict[str, Any]) -> None:
    script = script_of(container, notes, 0.3)
    assert {name: getattr(script, name) for name in wanted} == wanted, what


def test_a_crashing_container_backs_off_longer_each_time() -> None:
    script = Script(start=1.0, ready_after=None, exit_after=1.0, exit_code=1)
    container = Container("web", "a:crash", script, "Always", 10.0, START)
    states = []
    now: datetime | None = START
    for _ in range(6):
        assert now is not None
        now = container.advance(now)
        states.append((container.state, container.restarts, (now - START).total_seconds() if now else None))
    assert states == [
        ("creating", 0, 1.0),
        ("running", 0, 2.0),
        ("back-off", 0, 12.0),
        ("running", 1, 13.0),
        ("back-off", 1, 33.0),
        ("running", 2, 34.0),
    ]


@pytest.mark.parametrize(("policy", "code", "state"), [("Never", 1, "exited"), ("OnFailure", 0, "exited")])
def test_a_container_that_is_not_restarted_stays_exited(policy: str, code: int, state: str) -> None:
    script = Script(start=0.0, ready_after=None, exit_after=0.0, exit_code=code)
    container = Container("web", "a", script, policy, 1.0, START)
    assert container.advance(START + timedelta(hours=1)) is None
    assert container.state == state
    assert container.status(START, forced_unready=False)["state"]["terminated"]["exitCode"] == code
