"""Which of Kubernetes' own shapes does the API embed? Selectors, templates and job specs are carried as they come."""

from typing import Annotated, Any, Final

from pydantic import Field, WithJsonSchema

from rollouts.api.base import Model, Time

_STRINGS: Final = {"type": "object", "additionalProperties": {"type": "string"}}

LABEL_SELECTOR_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "x-kubernetes-map-type": "atomic",
    "properties": {
        "matchLabels": {
            "description": "Labels that must be there with these values. All of them must match.",
            **_STRINGS,
        },
        "matchExpressions": {
            "description": "Further conditions on labels. All of them must match.",
            "type": "array",
            "x-kubernetes-list-type": "atomic",
            "items": {
                "type": "object",
                "required": ["key", "operator"],
                "properties": {
                    "key": {"description": "The label that the condition is about.", "type": "string"},
                    "operator": {
                        "description": "How the label is compared: In, NotIn, Exists or DoesNotExist.",
                        "type": "string",
                    },
                    "values": {
                        "description": "The values for In and NotIn; left out for Exists and DoesNotExist.",
                        "type": "array",
                        "x-kubernetes-list-type": "atomic",
                        "items": {"type": "string"},
                    },
                },
            },
        },
    },
}

POD_TEMPLATE_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "x-kubernetes-preserve-unknown-fields": True,
    "properties": {
        "metadata": {
            "description": "Labels and annotations of the pods, and whatever else Kubernetes takes here.",
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
            "properties": {
                "labels": {"description": "Labels of the pods.", **_STRINGS},
                "annotations": {"description": "Annotations of the pods.", **_STRINGS},
            },
        },
        "spec": {
            "description": "The pod's specification, as `kubectl explain pod.spec` shows it. It is carried untouched.",
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": True,
        },
    },
}

OPEN_SCHEMA: Final[dict[str, Any]] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

LabelSelector = Annotated[dict[str, Any], WithJsonSchema(LABEL_SELECTOR_SCHEMA)]
"""A label selector as raw JSON; `rollouts.api.selectors` knows what it means."""

PodTemplate = Annotated[dict[str, Any], WithJsonSchema(POD_TEMPLATE_SCHEMA)]
"""A pod template as raw JSON: a field that Kubernetes adds next year survives."""

JobSpec = Annotated[dict[str, Any], WithJsonSchema(OPEN_SCHEMA)]
"""The spec of a batch/v1 Job as raw JSON."""

OpenObject = Annotated[dict[str, Any], WithJsonSchema(OPEN_SCHEMA)]
"""An object whose content is somebody else's: the configuration of a plugin, the body of a request."""

Strings = dict[str, str]


class Metadata(Model):
    """Labels and annotations to put on something that is created or adorned."""

    labels: Strings | None = Field(None, description="Labels to set.")
    annotations: Strings | None = Field(None, description="Annotations to set.")


class FieldRef(Model):
    """A field of the object that an argument is taken from."""

    field_path: str = Field(description="Path of the field, for example metadata.name or metadata.labels['region'].")


class Condition(Model):
    """One aspect of an object's state, in the notation of Kubernetes' conditions."""

    type: str = Field(description="Which aspect this is, for example Progressing or Available.")
    status: str = Field(description="Whether it holds: True, False or Unknown.")
    reason: str = Field(description="One word for why the condition has this status.")
    message: str = Field(description="The same in a sentence.")
    last_update_time: Time = Field(description="When the condition was last looked at and found changed in any part.")
    last_transition_time: Time = Field(description="When the status of the condition last changed.")
