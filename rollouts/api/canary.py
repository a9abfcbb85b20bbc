"""How does a canary go forward? The strategy and its steps."""

from functools import cached_property
from typing import Any

from pydantic import Field

from rollouts.api.analysis import BackgroundAnalysis, RolloutAnalysis
from rollouts.api.base import Bool, Int32, IntOrString, Model
from rollouts.api.experiment import RolloutExperiment
from rollouts.api.meta import Metadata, OpenObject
from rollouts.api.placement import AntiAffinity
from rollouts.api.traffic import TrafficRouting

DEFAULT_MAX_SURGE = "25"
DEFAULT_MAX_UNAVAILABLE = "25"
DEFAULT_SCALE_DOWN_DELAY_SECONDS = 30
DEFAULT_ABORT_SCALE_DOWN_DELAY_SECONDS = 30


class RolloutPause(Model):
    """Holds the rollout, for a while or until somebody promotes it."""

    duration: IntOrString | None = Field(
        None,
        description=(
            "How long: a number of seconds, or text such as 30s, 10m or 1h30m. Without it, until somebody promotes."
        ),
    )


class SetCanaryScale(Model):
    """Sets the number of canary pods apart from the weight. Set one field. Needs a traffic router."""

    weight: Int32 | None = Field(
        None, description="The share of spec.replicas in percent that the canary gets as pods."
    )
    replicas: Int32 | None = Field(None, description="The number of canary pods.")
    match_traffic_weight: Bool | None = Field(
        None, description="True lets the number of pods follow the traffic weight again."
    )


class StringMatch(Model):
    """How a text is compared. Set one field."""

    exact: str | None = Field(None, description="The text must be this.")
    prefix: str | None = Field(None, description="The text must begin with this.")
    regex: str | None = Field(None, description="The text must match this regular expression.")


class HeaderRoutingMatch(Model):
    """A header, a cookie or a query parameter that sends the request to the canary. Name one of the three."""

    header_name: str = Field("", description="Name of the header.")
    header_value: StringMatch = Field(default_factory=StringMatch, description="What the header's value must be.")
    cookie_name: str | None = Field(
        None, description="Name of the cookie. The router must be able to compare headers with regular expressions."
    )
    cookie_value: StringMatch | None = Field(
        None, description="What the cookie's value must be. A regular expression must match all of it."
    )
    query_param_name: str | None = Field(
        None, description="Name of the query parameter. The router must be able to compare those."
    )
    query_param_value: StringMatch | None = Field(None, description="What the query parameter's value must be.")

    @property
    def compared(self) -> tuple[tuple[str, str, StringMatch], ...]:
        """What is compared, as (kind, name, value) for each kindName and kindValue. A valid one has one of them."""
        kinds = {"header": "header", "cookie": "cookie", "query_param": "queryParam"}
        parts = {kind: (getattr(self, f"{kind}_name"), getattr(self, f"{kind}_value")) for kind in kinds}
        given = {kind: part for kind, part in parts.items() if self._sets(kind) and part != (None, None)}
        return tuple((kinds[kind], name or "", value or StringMatch()) for kind, (name, value) in given.items())

    def _sets(self, kind: str) -> bool:
        return bool(self.model_fields_set & {f"{kind}_name", f"{kind}_value"})


class SetHeaderRoute(Model):
    """Sends requests with certain headers, cookies or query parameters to the canary, whatever the weight."""

    name: str | None = Field(None, description="Name of the route, which trafficRouting.managedRoutes must list.")
    match: tuple[HeaderRoutingMatch, ...] = Field(
        (), description="What decides about a request. Leave it out to remove the route."
    )


class RouteMatch(Model):
    """A condition on requests. All fields that are set must match."""

    method: StringMatch | None = Field(None, description="What the HTTP method must be.")
    path: StringMatch | None = Field(None, description="What the path must be.")
    headers: dict[str, StringMatch] | None = Field(None, description="What headers must be, by their names.")


class SetMirrorRoute(Model):
    """Sends a copy of certain requests to the canary and ignores its answers."""

    name: str = Field(description="Name of the route, which trafficRouting.managedRoutes must list.")
    match: tuple[RouteMatch, ...] = Field(
        (), description="Requests that match one of these are mirrored. Leave it out to remove the route."
    )
    percentage: Int32 | None = Field(
        None, description="The share of matching requests in percent that is mirrored. Defaults to 100."
    )


class PluginStep(Model):
    """A step that a plugin carries out."""

    name: str = Field(description="Name of the plugin.")
    config: OpenObject | None = Field(None, description="Configuration of the plugin, handed to it as it is.")


class CanaryStep(Model):
    """One step of the canary. Set one field."""

    set_weight: Int32 | None = Field(
        None,
        description="Gives the canary this share, in percent of the traffic or, without a traffic router, of the pods.",
    )
    pause: RolloutPause | None = Field(
        None, description="Holds the rollout: {} until somebody promotes it, or for a duration."
    )
    set_canary_scale: SetCanaryScale | None = Field(
        None, description="Sets the number of canary pods apart from the weight."
    )
    analysis: RolloutAnalysis | None = Field(
        None, description="Runs an analysis and goes on if it is successful. A failed one aborts the rollout."
    )
    experiment: RolloutExperiment | None = Field(
        None, description="Runs an experiment and goes on if it is successful. A failed one aborts the rollout."
    )
    set_header_route: SetHeaderRoute | None = Field(
        None, description="Sends requests with certain headers to the canary."
    )
    set_mirror_route: SetMirrorRoute | None = Field(None, description="Sends a copy of certain requests to the canary.")
    plugin: PluginStep | None = Field(None, description="Runs a plugin and goes on once it is done.")

    @cached_property
    def actions(self) -> tuple[tuple[str, Any], ...]:
        """What the step asks for: its keys on the wire with their values. A valid step has one."""
        fields = type(self).model_fields
        values = ((fields[name].alias or name, getattr(self, name)) for name in fields if name in self.model_fields_set)
        return tuple((key, value) for key, value in values if value is not None)


class ReplicaProgressThreshold(Model):
    """How much of a ReplicaSet must be available to go on before all of it is."""

    type: str = Field(description="What the value counts: Percent of the desired pods, or Pods.")
    value: Int32 = Field(description="How many must be available.")


class PingPong(Model):
    """Two Services that take turns at being the stable one, so that promotion moves no traffic."""

    ping_service: str = Field(description="Name of the first Service.")
    pong_service: str = Field(description="Name of the second Service.")


class CanaryStrategy(Model):
    """Replaces the stable version step by step."""

    steps: tuple[CanaryStep, ...] = Field(
        (), description="The steps, one after the other. Without any, pods are replaced as a Deployment does it."
    )
    max_surge: IntOrString | None = Field(
        None,
        description=(
            "How many pods, or which percentage, may run above spec.replicas, rounded up. "
            "Defaults to 25%. A text is always a percentage."
        ),
    )
    max_unavailable: IntOrString | None = Field(
        None,
        description=(
            "How many pods, or which percentage, may be missing below spec.replicas, rounded down. "
            "Defaults to 25%. A text is always a percentage."
        ),
    )
    canary_service: str | None = Field(None, description="Service whose selector is pointed at the canary pods.")
    stable_service: str | None = Field(None, description="Service whose selector is pointed at the stable pods.")
    traffic_routing: TrafficRouting | None = Field(
        None, description="Splits traffic by a router. Without it, the numbers of pods decide who gets how much."
    )
    analysis: BackgroundAnalysis | None = Field(
        None, description="An analysis that runs while the steps go on. If it fails, the rollout is aborted."
    )
    anti_affinity: AntiAffinity | None = Field(
        None, description="Keeps the pods of canary and stable on different nodes."
    )
    canary_metadata: Metadata | None = Field(
        None, description="Labels and annotations that pods carry only while they are canary."
    )
    stable_metadata: Metadata | None = Field(
        None, description="Labels and annotations that pods carry only while they are stable."
    )
    scale_down_delay_seconds: Int32 | None = Field(
        None,
        description=(
            "Seconds until the previous ReplicaSet is scaled down after promotion, so that routers can follow. "
            "With traffic routing only. Defaults to 30."
        ),
    )
    scale_down_delay_revision_limit: Int32 | None = Field(
        None, description="How many previous ReplicaSets may wait for their delay at once. No limit by default."
    )
    abort_scale_down_delay_seconds: Int32 | None = Field(
        None,
        description=(
            "Seconds until the canary is scaled down after an abort, with traffic routing. "
            "0 means never. Defaults to 30."
        ),
    )
    dynamic_stable_scale: Bool | None = Field(
        None,
        description=(
            "Scales the stable ReplicaSet down as traffic leaves it, with traffic routing. "
            "An abort then has to scale up first."
        ),
    )
    ping_pong: PingPong | None = Field(
        None, description="Two Services that take turns instead of stableService and canaryService."
    )
    min_pods_per_replica_set: Int32 | None = Field(
        None, description="The least number of pods for a ReplicaSet that gets traffic, with traffic routing."
    )
    replica_progress_threshold: ReplicaProgressThreshold | None = Field(
        None, description="Lets steps go on before all their pods are available."
    )

    @property
    def max_surge_or_default(self) -> int | str:
        """The surge that is in force."""
        return DEFAULT_MAX_SURGE if self.max_surge is None else self.max_surge

    @property
    def max_unavailable_or_default(self) -> int | str:
        """The unavailability that is in force."""
        return DEFAULT_MAX_UNAVAILABLE if self.max_unavailable is None else self.max_unavailable

    @property
    def scale_down_delay_seconds_or_default(self) -> int:
        """The delay that is in force: none without a traffic router."""
        if self.traffic_routing is None:
            return 0
        seconds = self.scale_down_delay_seconds
        return DEFAULT_SCALE_DOWN_DELAY_SECONDS if seconds is None else seconds

    @property
    def abort_scale_down_delay_seconds_or_default(self) -> int:
        """The delay after an abort that is in force with a traffic router; 0 means that the canary stays."""
        seconds = self.abort_scale_down_delay_seconds
        return DEFAULT_ABORT_SCALE_DOWN_DELAY_SECONDS if seconds is None else seconds
