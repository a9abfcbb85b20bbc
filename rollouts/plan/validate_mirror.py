"""What can't work about the copies of requests that the preview of a blue-green rollout is to get?"""

from collections.abc import Iterator, Mapping
from typing import Any

from rollouts.api.base import parse
from rollouts.api.bluegreen import BlueGreenStrategy
from rollouts.api.canary import CanaryStrategy
from rollouts.plan.preview_mirror import every_request
from rollouts.plan.traffic import configured, routed_part
from rollouts.plan.validate_routed import Found, routed_problems, unserved
from rollouts.ports import Ability, Kit, Objects
from rollouts.ports.router import AnyRouter

Raw = Mapping[str, Any]


def mirror_problems(blue_green: BlueGreenStrategy, rollout: Raw, kit: Kit, objects: Objects | None) -> Iterator[Found]:
    """Yield what is wrong; `objects` has what routers read, None where that isn't known."""
    routing = blue_green.traffic_routing
    if routing is None:
        return
    if not blue_green.preview_service:
        yield "trafficRouting.mirror", "needs a previewService, which gets the copies: name one"
        return
    percentage = routing.mirror.percentage
    if percentage is not None and not 1 <= percentage <= 100:
        yield "trafficRouting.mirror.percentage", f"{percentage} is out of range: must be from 1 to 100"
    canary = parse(CanaryStrategy, routed_part(rollout))
    for below, message in routed_problems(canary, rollout["metadata"], kit, objects):
        yield below, message.replace("canaryService", "previewService").replace("stableService", "activeService")
    named = configured(canary.traffic_routing) if canary.traffic_routing is not None else {}
    for key, spec in named.items():
        if key in kit.routers and not _is_able(kit.routers[key]):
            able = ", ".join(sorted(name for name, each in kit.routers.items() if _is_able(each)))
            way_out = f"use {able}" if able else "remove trafficRouting"
            yield "trafficRouting.mirror", f"{key} can't mirror requests to a preview: {way_out}"
        elif key in kit.routers:
            for _, message in unserved(kit.routers[key], spec, every_request(None)):
                yield "trafficRouting.mirror", message


def _is_able(router: AnyRouter) -> bool:
    """Whether a router can do it by the objects that it writes; those that are told by calls are told of canaries."""
    return Ability.MIRROR_ROUTES in router.abilities and not router.tells
