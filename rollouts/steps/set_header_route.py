"""`setHeaderRoute`: which requests go to the canary because of their headers, whatever its weight?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from rollouts.api.canary import SetHeaderRoute as Spec
from rollouts.ports import Gate, Here, Open, Shut, Step, Wishes
from rollouts.steps.matching import text_problems


class SetHeaderRoute(Step[Spec]):
    """Adds a managed route, or removes it if nothing is to match; complete once the router has it."""

    key = "setHeaderRoute"

    def problems(self, spec: Spec, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        del max_weight
        if not routed:
            yield "", "needs trafficRouting: without a router nobody looks at headers"
        for index, match in enumerate(spec.match):
            if not match.header_name:
                yield f"match[{index}].headerName", "is empty: name a header"
            yield from text_problems(f"match[{index}].headerValue", match.header_value)

    def hold(self, wishes: Wishes, spec: Spec) -> Wishes:
        others = wishes.without_route(spec.name or "")
        return replace(others, header_routes=(*others.header_routes, spec)) if spec.match else others

    def gate(self, spec: Spec, here: Here, now: datetime) -> Gate:
        del now
        if here.unmanaged:
            return Shut(here.unmanaged)
        return Open(f"header route {spec.name} is {'set' if spec.match else 'removed'}")

    def title(self, spec: Spec) -> str:
        return f"setHeaderRoute: {spec.name}"
