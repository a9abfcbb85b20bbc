"""Are the active Service's requests copied to the preview, may they be, and are the copies gone before the switch?

To a router the mirror is a managed route. Copies go to a preview that has available pods, and to no version behind the
active Service: that one gets the requests themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rollouts.api.base import parse
from rollouts.api.bluegreen import BlueGreenStrategy
from rollouts.api.canary import CanaryStrategy, RouteMatch, SetMirrorRoute
from rollouts.plan.leaving import is_written_down
from rollouts.plan.left_over import Tidying, tidy
from rollouts.plan.observed import Observed
from rollouts.plan.router_actions import as_actions
from rollouts.plan.services import Selection
from rollouts.plan.traffic import PREVIEW_MIRROR, BoundRouter, bind_routers, routed_part
from rollouts.ports import Destination, Kit, Route, Write


@dataclass(frozen=True, slots=True)
class Mirror:
    """The mirror as it is. `to_set` and `to_remove` are the writes that are due for it to be there, or not to be.

    Without trafficRouting there are none of either.
    """

    here: Observed
    kit: Kit
    routers: tuple[BoundRouter, ...] = ()
    plain: Route | None = None
    mirrored: Route | None = None
    to_set: tuple[Write, ...] = ()
    to_remove: tuple[Write, ...] = ()

    @property
    def is_set(self) -> bool:
        """Whether the preview gets its copies."""
        return bool(self.to_remove) and not self.to_set

    @property
    def lacks(self) -> str:
        """Say that the preview doesn't get its copies yet; empty when it does."""
        return "the router is being set to mirror requests to the preview" if self.to_set else ""

    @property
    def held(self) -> str:
        """Why no Service may be switched yet, if it gets requests or copies of them; empty when it may."""
        return "the mirror is removed before a Service is switched" if self.to_remove else ""

    def tidying(self, *, wanted: bool) -> Tidying:
        """Return what is due now, the mirror first, and what the API server has said about what it refuses."""
        due, route = (self.to_set, self.mirrored) if wanted else (self.to_remove, self.plain)
        if route is None:
            return Tidying(is_done=True)
        if not due:
            return tidy(self.here, self.routers, route, self.kit)
        actions, refused = as_actions(self.here, due if is_written_down(self.here) else ())
        return Tidying(tuple(actions), tuple(refused))


def find_mirror(here: Observed, blue_green: BlueGreenStrategy, selection: Selection, kit: Kit) -> Mirror:
    """Return the mirror as the routers' objects tell."""
    if blue_green.traffic_routing is None or here.objects is None:
        return Mirror(here, kit)
    routers = bind_routers(here.raw["metadata"], parse(CanaryStrategy, routed_part(here.raw)), kit)
    plain = Route(
        Destination(blue_green.preview_service or "", selection.preview or "", 0),
        Destination(blue_green.active_service, selection.active, 100),
    )
    every = every_request(blue_green.traffic_routing.mirror.percentage)
    mirrored = replace(plain, mirrors=(every,))
    return Mirror(here, kit, routers, plain, mirrored, _due(here, routers, mirrored), _due(here, routers, plain))


def every_request(percentage: int | None) -> SetMirrorRoute:
    """Return the mirror as routers know it."""
    return SetMirrorRoute(name=PREVIEW_MIRROR, match=(RouteMatch(),), percentage=percentage)


def _due(here: Observed, routers: Sequence[BoundRouter], route: Route) -> tuple[Write, ...]:
    return tuple(write for each in routers for write in each.write(route, here.objects or {}))
