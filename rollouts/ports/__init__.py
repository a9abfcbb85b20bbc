"""The public plugin API: what a step, a router or a metric provider must be.

Version 1. Names exported here are stable within a major version of the project; everything else is private.
"""

from rollouts.ports.kit import Kit
from rollouts.ports.provider import (
    Asked,
    Flow,
    MeasurementError,
    NoData,
    Outcome,
    Pending,
    Provider,
    Reading,
    Request,
    Response,
    SecretRef,
    Verdict,
)
from rollouts.ports.router import (
    Ability,
    Create,
    Delete,
    Destination,
    Objects,
    Owner,
    Patch,
    Reference,
    Route,
    Router,
    Seen,
    Write,
)
from rollouts.ports.step import Gate, Here, Open, Scale, Shut, Step, Wishes

API_VERSION = 1

__all__ = [
    "API_VERSION",
    "Ability",
    "Asked",
    "Create",
    "Delete",
    "Destination",
    "Flow",
    "Gate",
    "Here",
    "Kit",
    "MeasurementError",
    "NoData",
    "Objects",
    "Open",
    "Outcome",
    "Owner",
    "Patch",
    "Pending",
    "Provider",
    "Reading",
    "Reference",
    "Request",
    "Response",
    "Route",
    "Router",
    "Scale",
    "SecretRef",
    "Seen",
    "Shut",
    "Step",
    "Verdict",
    "Wishes",
    "Write",
]
