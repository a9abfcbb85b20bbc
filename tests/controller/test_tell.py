import json

import pytest
import structlog

from rollouts.controller.key import Key
from rollouts.controller.logs import Format, configure_logs
from rollouts.controller.metrics import Metrics
from rollouts.controller.outcome import Outcome, Refused
from rollouts.controller.tell import Teller, describe
from rollouts.plan import Action, Plan, Refusal
from rollouts.plan.actions import (
    AdoptReplicaSet,
    CreateReplicaSet,
    DeleteReplicaSet,
    EvictPod,
    PatchRollout,
    ReleaseReplicaSet,
    SwitchService,
    UpdateReplicaSet,
)
from rollouts.ports import Kit
from tests.controller.world import rollout

WEB = Key("default", "web")
RAW = {**rollout(), "metadata": {"name": "web", "namespace": "default", "uid": "u"}}


class Recorder:
    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def record(self, regarding: object, type: str, reason: str, message: str) -> None:  # noqa: A002
        del regarding
        self.told.append((type, reason, message))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def teller(recorder: Recorder) -> Teller:
    return Teller(recorder, Metrics(), Kit(steps={}))


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (CreateReplicaSet("web-a", "a", "d", 1, 2, {}), "create ReplicaSet web-a with 2 pods"),
        (UpdateReplicaSet("web-a", "u", 1, 2, size=4), "scale ReplicaSet web-a from 2 to 4"),
        (UpdateReplicaSet("web-a", "u", 1, 2, annotations={"a": "b"}), "annotate ReplicaSet web-a"),
        (DeleteReplicaSet("web-a", "u", "1"), "delete ReplicaSet web-a"),
        (AdoptReplicaSet("web-a", "u"), "adopt ReplicaSet web-a"),
        (ReleaseReplicaSet("web-a", "u"), "release ReplicaSet web-a"),
        (PatchRollout(replicas=1), "patch the Rollout"),
        (SwitchService("web", "u", "abc", "", "1"), "switch Service web to abc"),
        (EvictPod("web-a-1", "u"), "evict Pod web-a-1"),
    ],
)
def test_every_action_reads_as_a_few_words(action: Action, text: str) -> None:
    assert describe(action) == text


def test_a_rollout_is_announced_once_and_its_namesake_again(teller: Teller, recorder: Recorder) -> None:
    teller.met(WEB, RAW)
    teller.met(WEB, RAW)
    assert [reason for _, reason, _ in recorder.told] == ["RolloutAddedToInformer"]
    teller.met(WEB, {**RAW, "metadata": {**RAW["metadata"], "uid": "another"}})
    assert len(recorder.told) == 2


def test_the_same_trouble_is_told_once_until_all_is_well_again(teller: Teller, recorder: Recorder) -> None:
    for _ in range(3):
        teller.failed(WEB, RAW, ValueError("one"), is_ours=True)
        teller.failed(WEB, RAW, ValueError("two"), is_ours=False)
    assert [message for _, _, message in recorder.told] == ["ValueError: one", "ValueError: two"]
    teller.recovered(WEB)
    teller.failed(WEB, RAW, ValueError("one"), is_ours=True)
    assert len(recorder.told) == 3
    assert {kind for kind, _, _ in recorder.told} == {"Warning"}


def test_a_refused_update_is_told_and_a_refused_creation_left_to_its_condition(
    teller: Teller, recorder: Recorder
) -> None:
    update = UpdateReplicaSet("web-a", "u", 1, 2, size=4)
    outcome = Outcome()
    outcome.refused = [
        Refused(update, Refusal("update", "ReplicaSet", "web-a", "Forbidden", "no permission")),
        Refused(update, Refusal("create", "ReplicaSet", "web-b", "Forbidden", "no quota")),
        Refused(update, Refusal("switch", "Service", "web", "Forbidden", "no permission")),
    ]
    teller.passed(WEB, RAW, Plan(), outcome, None)
    assert [(kind, reason) for kind, reason, _ in recorder.told] == [
        ("Warning", "ReplicaSetUpdateError"),
        ("Warning", "ReconciliationError"),
    ]


def test_logs_for_machines_are_json_with_the_traceback(capsys: pytest.CaptureFixture[str], teller: Teller) -> None:
    configure_logs("info", "json")
    teller.failed(WEB, None, ZeroDivisionError("a bug"), is_ours=True)
    teller.passed(WEB, RAW, Plan(because=("so",)), Outcome(postponed=["a pod"]), None)
    failure, told = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert failure["event"] == "pass failed"
    assert failure["exception"][0]["exc_type"] == "ZeroDivisionError"
    assert (told["rollout"], told["because"], told["postponed"]) == ("default/web", ["so"], ["a pod"])
    assert told["timestamp"].endswith("Z")


def test_logs_for_people_have_no_colours_in_a_file_and_respect_the_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("warn", "text")
    log = structlog.get_logger("test")
    log.info("not this")
    log.warning("but this", rollout="default/web")
    said = capsys.readouterr().err
    assert "not this" not in said
    assert "rollout=default/web" in said
    assert "\x1b" not in said


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_trace_of_a_mistake_tells_no_values(form: Format, capsys: pytest.CaptureFixture[str]) -> None:
    def fails(token: str) -> None:
        raise RuntimeError(f"a text of {len(token)} characters")

    configure_logs("info", form)
    try:
        fails("secret".upper())
    except RuntimeError as error:
        structlog.get_logger().error("pass failed", exc_info=error)
    told = capsys.readouterr().err
    assert "a text of 6 characters" in told
    assert "in fails" in told or '"name": "fails"' in told
    assert "SECRET" not in told
