"""What the API's objects become for a plugin, and what is made of its answers."""

import base64
import string
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollouts.goplugin.gob import Decoder, Encoder, GobError
from rollouts.goplugin.objects import notation
from rollouts.goplugin.times import read_time, write_time

ROLLOUT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Rollout",
    "metadata": {"name": "web", "creationTimestamp": "2024-01-02T03:04:05Z", "labels": {"a": "b"}},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "web"}},
        "strategy": {
            "canary": {
                "maxSurge": "20%",
                "maxUnavailable": 1,
                "trafficRouting": {"plugins": {"a/b": {"deep": [1, {"x": None}]}}},
                "steps": [{"setWeight": 0}, {"pause": {}}, {"pause": {"duration": "1h"}}],
            }
        },
        "template": {"spec": {"containers": [{"name": "c", "image": "i"}], "volumes": [{"name": "v", "emptyDir": {}}]}},
    },
}


def _there_and_back(name: str, raw: dict[str, Any]) -> Any:
    carried = notation(name)
    [read] = Decoder().receive(Encoder().encode(carried.type, carried.to_gob(raw)))
    return carried.to_json(read.value)


def test_a_rollout_goes_there_and_back() -> None:
    assert _there_and_back("Rollout", ROLLOUT) == ROLLOUT


def test_what_no_type_knows_of_is_left_out() -> None:
    assert _there_and_back("Rollout", {"spec": {"replicas": 1, "ours": True}}) == {"spec": {"replicas": 1}}


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "phase": st.sampled_from(["Running", "Successful"]),
            "value": st.text(),
            "metadata": st.dictionaries(st.text(string.ascii_letters), st.text()),
            "resumeAt": st.datetimes()
            .filter(lambda each: each.year > 1)
            .map(lambda each: f"{each:%Y}-01-02T03:04:05Z"),
        },
    ).filter(lambda raw: len(raw.get("resumeAt", "2024-01-02T03:04:05Z")) == len("2024-01-02T03:04:05Z"))
)
def test_measurements_go_there_and_back(raw: dict[str, Any]) -> None:
    assert _there_and_back("Measurement", raw) == raw


def test_what_has_a_notation_of_its_own() -> None:
    fields = {"time": "2024-01-02T03:04:05Z", "fieldsV1": {"f:a": {}}, "manager": "m"}
    raw = {"metadata": {"managedFields": [fields], "generation": 3}}
    assert _there_and_back("Rollout", raw) == raw
    binary = base64.b64encode(b"x").decode()
    limits = {"resources": {"limits": {"cpu": "100m"}}, "name": binary}
    held = notation("Container").to_gob(limits)
    assert held["Resources"] == {"Limits": {"cpu": {"Format": "DecimalSI"}}}


@pytest.mark.parametrize(
    "raw",
    [
        {"spec": {"replicas": "one"}},
        {"spec": {"strategy": []}},
        {"metadata": {"creationTimestamp": "yesterday"}},
        {"metadata": {"labels": {"a": 1}}},
    ],
)
def test_an_object_of_another_shape_is_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(GobError):
        _there_and_back("Rollout", raw)


@pytest.mark.parametrize("held", [{"StartedAt": b"x"}, {"Metadata": ["a"]}, {"ResumeAt": "now"}])
def test_an_answer_of_another_shape_is_refused(held: dict[str, Any]) -> None:
    with pytest.raises(GobError):
        notation("Measurement").to_json(held)


def test_times_of_go() -> None:
    assert write_time("2024-01-02T03:04:05Z").hex() == "010000000edd257425" + "00000000ffff"
    assert read_time(write_time("2024-01-02T03:04:05+02:00")) == "2024-01-02T01:04:05Z"
    assert read_time(bytes((1,)) + bytes(12) + b"\xff\xff") is None
    with pytest.raises(GobError, match="beyond"):
        read_time(b"\1\x7f" + bytes(13))
