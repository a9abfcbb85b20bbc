"""What does a definition's schema refuse, leave out and fill in?"""

from typing import Any

import pytest

from tests.wire.fixtures import DEFINITIONS
from tests.wire.objects import gadget, rollout
from tests.wire.server import Client, Json


async def test_a_definition_is_established(gadgets: Client) -> None:
    definition = (await gadgets.send("GET", f"{DEFINITIONS}/gadgets.wire.test")).object
    conditions = {each["type"]: each["status"] for each in definition["status"]["conditions"]}
    assert conditions["Established"] == conditions["NamesAccepted"] == "True"
    assert definition["status"]["storedVersions"] == ["v1"]
    assert definition["status"]["acceptedNames"]["plural"] == "gadgets"


@pytest.mark.parametrize(
    ("spec", "field", "reason", "text"),
    [
        ({"size": None}, "spec.size", "FieldValueRequired", "Required value"),
        ({"size": "1"}, "spec.size", "FieldValueTypeInvalid", "must be of type integer"),
        ({"size": 11}, "spec.size", "FieldValueInvalid", "should be less than or equal to 10"),
        ({"size": -1}, "spec.size", "FieldValueInvalid", "should be greater than or equal to 0"),
        ({"mode": "odd"}, "spec.mode", "FieldValueNotSupported", 'supported values: "fast", "slow"'),
        ({"word": "longer"}, "spec.word", "FieldValueTooLong", "5"),
        ({"word": "UP"}, "spec.word", "FieldValueInvalid", "should match '^[a-z]*$'"),
        ({"either": True}, "spec.either", "FieldValueTypeInvalid", "must be of type integer,string"),
        ({"parts": [{}]}, "spec.parts[0].name", "FieldValueRequired", "Required value"),
        ({"parts": [{"name": "a"}] * 2}, "spec.parts[1]", "FieldValueDuplicate", "Duplicate value"),
        ({"parts": [{"name": n} for n in "abcd"]}, "spec.parts", "FieldValueTooMany", "3"),
        ({"words": {"a": 1}}, "spec.words.a", "FieldValueTypeInvalid", "must be of type string"),
    ],
)
async def test_a_schema_refuses(gadgets: Client, spec: Json, field: str, reason: str, text: str) -> None:
    answer = await gadgets.create("gadgets", gadget(**spec))
    message = answer.refused(422, "Invalid")
    assert (field, reason) in answer.causes
    assert message.startswith('Gadget.wire.test "one" is invalid: ')
    assert text in message
    assert answer.body["details"]["group"] == "wire.test"
    assert answer.body["details"]["kind"] == "Gadget"


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        ({}, {"size": 1, "mode": "fast"}),
        ({"mode": "slow"}, {"size": 1, "mode": "slow"}),
        ({"mode": None}, {"size": 1, "mode": "fast"}),
        ({"unknown": 1}, {"size": 1, "mode": "fast"}),
        ({"open": {"any": {"thing": [1]}}}, {"size": 1, "mode": "fast", "open": {"any": {"thing": [1]}}}),
        ({"either": "5%"}, {"size": 1, "mode": "fast", "either": "5%"}),
        ({"either": 5}, {"size": 1, "mode": "fast", "either": 5}),
        ({"nothing": None}, {"size": 1, "mode": "fast", "nothing": None}),
        ({"parts": [{"name": "a", "x": 1}]}, {"size": 1, "mode": "fast", "parts": [{"name": "a", "weight": 7}]}),
    ],
)
async def test_a_schema_fills_in_and_leaves_out(gadgets: Client, spec: Json, kept: Json) -> None:
    assert (await gadgets.made("gadgets", gadget(**spec)))["spec"] == kept


async def test_defaults_come_back_when_a_patch_takes_them_away(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget(mode="slow"))
    patched = (await gadgets.patch("gadgets", "one", {"spec": {"mode": None}})).object
    assert patched["spec"]["mode"] == "fast"


async def test_strict_validation_refuses_unknown_fields(gadgets: Client) -> None:
    answer = await gadgets.create("gadgets", gadget(unknown=1, open={"x": 1}), fieldValidation="Strict")
    message = answer.refused(400, "BadRequest")
    assert message == (
        'Gadget in version "v1" cannot be handled as a Gadget: strict decoding error: unknown field "spec.unknown"'
    )


async def test_a_patch_to_unknown_fields_is_refused_in_strictness(gadgets: Client) -> None:
    await gadgets.made("gadgets", gadget())
    answer = await gadgets.patch("gadgets", "one", {"spec": {"unknown": 1}}, fieldValidation="Strict")
    assert 'unknown field "spec.unknown"' in answer.refused(422, "Invalid")


async def test_by_default_unknown_fields_are_warned_of(gadgets: Client) -> None:
    answer = await gadgets.create("gadgets", gadget(unknown=1))
    assert answer.code == 201
    assert answer.headers["Warning"] == '299 - "unknown field \\"spec.unknown\\""'
    quiet = await gadgets.create("gadgets", gadget("two", unknown=1), fieldValidation="Ignore")
    assert "Warning" not in quiet.headers


async def test_strict_validation_knows_built_in_kinds(api: Client) -> None:
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}, "dta": {}}
    message = (await api.create("configmaps", obj, fieldValidation="Strict")).refused(400, "BadRequest")
    assert 'strict decoding error: unknown field "dta"' in message


def deep(spec: Json, *path: str, value: Any) -> None:
    for name in path[:-1]:
        spec = spec[name]
    spec[path[-1]] = value


async def test_a_rollout_of_an_unknown_field_is_refused(api: Client) -> None:
    obj = rollout(steps=[{"setWeight": 20}])
    deep(obj, "spec", "strategy", "canary", "maxSurg", value=1)
    message = (await api.create("rollouts", obj, fieldValidation="Strict")).refused(400, "BadRequest")
    assert 'unknown field "spec.strategy.canary.maxSurg"' in message


async def test_a_rollouts_pod_template_is_carried_untouched(api: Client) -> None:
    obj = rollout()
    deep(obj, "spec", "template", "spec", "fromTheFuture", value={"a": [1, "x", None]})
    made = (await api.create("rollouts", obj, fieldValidation="Strict")).object
    assert made["spec"]["template"] == obj["spec"]["template"]


async def test_a_rollout_needs_a_whole_number_of_replicas(api: Client) -> None:
    answer = await api.create("rollouts", {**rollout(), "spec": {**rollout()["spec"], "replicas": "two"}})
    answer.refused(422, "Invalid")
    assert ("spec.replicas", "FieldValueTypeInvalid") in answer.causes


async def test_a_pause_may_be_a_number_or_a_duration(api: Client) -> None:
    steps: list[Json] = [{"pause": {"duration": 5}}, {"pause": {"duration": "1m30s"}}, {"pause": {}}]
    made = await api.made("rollouts", rollout(steps=steps))
    assert made["spec"]["strategy"]["canary"]["steps"] == steps


async def test_metadata_of_custom_objects_is_typed(gadgets: Client) -> None:
    obj = gadget()
    obj["metadata"]["labels"] = {"a": 1}
    (await gadgets.create("gadgets", obj)).refused(400, "BadRequest")
