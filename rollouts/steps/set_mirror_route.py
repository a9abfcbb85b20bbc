"""`setMirrorRoute`: of which requests does the canary get a copy, whose answers nobody sees?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from rollouts.api.canary import SetMirrorRoute as Spec
from rollouts.ports import Gate, Here, Open, Shut, Step, Wishes
from rollouts.steps.matching import text_problems


class SetMirrorRoute(Step[Spec]):
    """Adds a managed route, or removes it if nothing is to match; complete once the router has it."""

    key = "setMirrorRoute"

    def problems(self, spec: Spec, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        del max_weight
        if not routed:
            yield "", "needs trafficRouting: without a router nobody copies requests"
        if spec.percentage is not None and not 0 <= spec.percentage <= 100:
            yield "percentage", f"{spec.percentage} is out of range: must be from 0 to 100"
        for index, match in enumerate(spec.match):
            texts = {"method": match.method, "path": match.path}
            texts |= {f"headers.{name}": value for name, value in (match.headers or {}).items()}
            for below, text in texts.items():
                if text is not None:
                    yield from text_problems(f"match[{index}].{below}", text)

    def hold(self, wishes: Wishes, spec: Spec) -> Wishes:
        others = wishes.without_route(spec.name)
        return replace(others, mirrors=(*others.mirrors, spec)) if spec.match else others

    def gate(self, spec: Spec, here: Here, now: datetime) -> Gate:
        del now
        if here.unmanaged:
            return Shut(here.unmanaged)
        return Open(f"mirror route {spec.name} is {'set' if spec.match else 'removed'}")

    def title(self, spec: Spec) -> str:
        if not spec.match:
            return f"setMirrorRoute: {spec.name}, removed"
        return f"setMirrorRoute: {spec.name}" + ("" if spec.percentage is None else f", {spec.percentage} %")
