"""How does a blue-green rollout switch over? The strategy."""

from typing import Literal

from pydantic import Field

from rollouts.api.analysis import RolloutAnalysis
from rollouts.api.base import Bool, Int32, IntOrString, Model
from rollouts.api.meta import Metadata
from rollouts.api.placement import AntiAffinity
from rollouts.api.traffic import PreviewRouting

DEFAULT_SCALE_DOWN_DELAY_SECONDS = 30
DEFAULT_ABORT_SCALE_DOWN_DELAY_SECONDS = 30
DEFAULT_AUTO_PROMOTION_ENABLED = True


class BlueGreenStrategy(Model):
    """Runs the new version beside the active one and switches a Service over."""

    active_service: str = Field(
        description="Service that clients use. Its selector is switched to the new version on promotion."
    )
    preview_service: str | None = Field(
        None, description="Service whose selector is pointed at the new version before it is promoted."
    )
    preview_switch: Literal["immediate", "available"] | None = Field(
        None,
        description=(
            "When the preview Service follows to a new version: immediate (the default), as soon as its ReplicaSet "
            "exists, or available, once all pods of the preview are available."
        ),
    )
    preview_replica_count: Int32 | None = Field(
        None, description="How many pods of the new version run until promotion. Defaults to spec.replicas."
    )
    auto_promotion_enabled: Bool | None = Field(
        None, description="False waits for somebody to promote. Defaults to true."
    )
    auto_promotion_seconds: Int32 | None = Field(
        None,
        description=(
            "Seconds to wait before the new version is promoted by itself. "
            "Defaults to 0. Means nothing if autoPromotionEnabled is false."
        ),
    )
    max_unavailable: IntOrString | None = Field(
        None,
        description=(
            "How many pods, or which percentage, a restart may make unavailable at once, rounded down. Defaults to 25%."
        ),
    )
    scale_down_delay_seconds: Int32 | None = Field(
        None,
        description=(
            "Seconds until the previous ReplicaSet is scaled down after the switch, so that clients can follow. "
            "Defaults to 30."
        ),
    )
    scale_down_delay_revision_limit: Int32 | None = Field(
        None, description="How many previous ReplicaSets may wait for their delay at once. No limit by default."
    )
    abort_scale_down_delay_seconds: Int32 | None = Field(
        None, description="Seconds until the new version is scaled down after an abort. 0 means never. Defaults to 30."
    )
    pre_promotion_analysis: RolloutAnalysis | None = Field(
        None, description="An analysis before the switch, which waits for it. If it fails, the rollout is aborted."
    )
    post_promotion_analysis: RolloutAnalysis | None = Field(
        None, description="An analysis after the switch. If it fails, the Service is switched back."
    )
    traffic_routing: PreviewRouting | None = Field(
        None, description="Lets a traffic router send the preview copies of real requests before it is promoted."
    )
    anti_affinity: AntiAffinity | None = Field(
        None, description="Keeps the pods of the two versions on different nodes."
    )
    preview_metadata: Metadata | None = Field(
        None, description="Labels and annotations that pods carry only while they are in preview."
    )
    active_metadata: Metadata | None = Field(
        None, description="Labels and annotations that pods carry only while they are active."
    )

    @property
    def is_promoted_automatically(self) -> bool:
        """Tell whether the switch happens without anybody's word."""
        return DEFAULT_AUTO_PROMOTION_ENABLED if self.auto_promotion_enabled is None else self.auto_promotion_enabled

    @property
    def scale_down_delay_seconds_or_default(self) -> int:
        """The delay that is in force."""
        seconds = self.scale_down_delay_seconds
        return DEFAULT_SCALE_DOWN_DELAY_SECONDS if seconds is None else seconds

    @property
    def abort_scale_down_delay_seconds_or_default(self) -> int:
        """The delay after an abort that is in force; 0 means that the new version stays."""
        seconds = self.abort_scale_down_delay_seconds
        return DEFAULT_ABORT_SCALE_DOWN_DELAY_SECONDS if seconds is None else seconds
