"""Which nodes do the pods of two versions share? Anti-affinity between them."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from rollouts.api.base import Int32, Model

Flag = Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]
"""An object without fields: that it is there says everything."""


class PreferredAntiAffinity(Model):
    """A wish that the scheduler weighs against others."""

    weight: Int32 = Field(description="How much the wish counts, from 1 to 100.")


class AntiAffinity(Model):
    """Keeps new pods away from nodes that run pods of the previous version. Set one field."""

    preferred: PreferredAntiAffinity | None = Field(
        None,
        alias="preferredDuringSchedulingIgnoredDuringExecution",
        description="Try to, but schedule the pods anyway.",
    )
    required: Flag | None = Field(
        None,
        alias="requiredDuringSchedulingIgnoredDuringExecution",
        description="Leave pods pending rather than let them share a node. Write {}.",
    )
