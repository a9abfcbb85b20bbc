"""How do clients stay on the side that they were given?"""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from rollouts.api.base import Bool, IntOrString, Model
from rollouts.api.durations import parse_duration

DEFAULT_MAX_AGE = timedelta(days=7)


class SessionAffinity(Model):
    """A cookie keeps each client on the side, canary or stable, that it was given first. {} is enough."""

    cookie_name: str | None = Field(
        None, description="Name of the cookie. Defaults to rollout- and the name of the Rollout."
    )
    max_age: IntOrString | None = Field(
        None,
        description=(
            "How long a browser keeps the cookie: a number of seconds, or text such as 24h. Choose it longer than an"
            " update lasts; after the update the cookie means nothing. Defaults to 168h, a week."
        ),
    )
    path: str | None = Field(None, description="Path that the cookie is for. Defaults to /, everything.")
    domain: str | None = Field(
        None, description="Domain that the cookie is for. Defaults to the very host that has set it."
    )
    secure: Bool | None = Field(
        None,
        description="True has browsers send the cookie over HTTPS only. Defaults to false, which works without HTTPS.",
    )
    http_only: Bool | None = Field(None, description="False lets scripts read the cookie. Defaults to true.")
    same_site: Literal["Strict", "Lax", "None"] | None = Field(
        None, description="Which requests of other sites carry the cookie. None needs secure. Defaults to Lax."
    )

    session_persistence: Literal["cookie", "sessionName"] | None = Field(
        None,
        description=(
            "Has the Gateway itself keep sessions, by sessionPersistence of the route's rule, a field of the"
            " experimental channel of the Gateway API. The value is the field below it that carries the name: cookie"
            " since Gateway API 1.7, sessionName before. A session stays where it is until the update ends: weights"
            " are for new clients only. Without it rules of our own keep clients."
        ),
    )

    @property
    def max_age_or_default(self) -> timedelta:
        """How long the cookie is kept, in whole seconds. Raises ValueError."""
        if self.max_age is None:
            return DEFAULT_MAX_AGE
        if isinstance(self.max_age, int):
            return timedelta(seconds=min(self.max_age, 10**10))
        return timedelta(seconds=parse_duration(self.max_age) // timedelta(seconds=1))
