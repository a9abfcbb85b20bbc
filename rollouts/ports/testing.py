"""Does a plugin keep the promises of the ports? Conformance classes for test suites, ours and yours.

Subclass in a module that pytest collects, and say what to test::

    class TestMyStep(StepConformance):
        step = MyStep()
        specs = (MySpec(...), MySpec(...))

Each class needs no more than plain `assert`.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from rollouts.api.canary import HeaderRoutingMatch, RouteMatch, SetHeaderRoute, SetMirrorRoute, StringMatch
from rollouts.api.merging import merged
from rollouts.ports.affinity import Affinity, Returning, canary_value, stable_value, update_of
from rollouts.ports.called_testing import CalledStepConformance
from rollouts.ports.provider_testing import SECRET, ProviderConformance
from rollouts.ports.router import (
    Ability,
    AnyRouter,
    Create,
    Delete,
    Destination,
    Objects,
    Owner,
    Raw,
    Reference,
    Route,
    Seen,
    Write,
    picked,
)
from rollouts.ports.step import AnyStep, Check, Gate, Here, Open, Shut, Wishes

__all__ = ["SECRET", "CalledStepConformance", "ProviderConformance", "RouterConformance", "StepConformance", "applied"]

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_UNMET = "the canary has 1 of 2 pods available"


class StepConformance:
    """What every step promises. `specs` holds valid specs of it, at least one."""

    step: ClassVar[AnyStep]
    specs: ClassVar[Sequence[Any]]

    def _cases(self) -> Iterator[tuple[Any, Here, datetime, Gate]]:
        """Yield what the gate says of each spec in every situation, over a day."""
        situations = (
            Here(),
            Here(unmet=_UNMET),
            Here(paused_since=_NOW),
            Here(paused_since=_NOW, unmet=_UNMET),
            Here(resumed=True),
            Here(check=Check("Running", "analysis run web-1 has not measured anything yet")),
            Here(check=Check("Successful", "analysis run web-1 is Successful")),
        )
        for spec in self.specs:
            for here in situations:
                for minutes in (0, 1, 60, 24 * 60):
                    now = _NOW + timedelta(minutes=minutes)
                    yield spec, here, now, self.step.gate(spec, here, now)

    def test_it_has_a_key_and_specs(self) -> None:
        """A step is found by its key, and tested with something."""
        assert self.step.key, "key is empty: it is the field of the step in a manifest"
        assert self.specs, "specs is empty: name at least one valid spec"

    def test_valid_specs_have_no_problems(self) -> None:
        """Validation lets through what works, and doesn't change its mind."""
        for spec in self.specs:
            for _ in range(2):
                assert list(self.step.problems(spec, max_weight=100, routed=True)) == []

    def test_a_gate_is_pure(self) -> None:
        """The same question gets the same answer: decisions must be reproducible."""
        for spec, here, now, gate in self._cases():
            assert self.step.gate(spec, here, now) == gate

    def test_a_gate_says_why(self) -> None:
        """A wait without a reason is what people call stuck."""
        for _, _, _, gate in self._cases():
            assert isinstance(gate, Open | Shut)
            assert gate.because.strip(), "because is empty"

    def test_a_gate_asks_to_be_woken_in_the_future(self) -> None:
        """A wake that lies in the past would have the controller go round in circles."""
        for _, _, now, gate in self._cases():
            if isinstance(gate, Shut) and gate.until is not None:
                assert gate.until > now, f"until {gate.until} is not after {now}"

    def test_wishes_are_folded_without_side_effects(self) -> None:
        """Held twice from the same start, the wishes are the same, and within the weights that exist."""
        for spec in self.specs:
            first = self.step.hold(Wishes(weight=10), spec)
            assert first == self.step.hold(Wishes(weight=10), spec)
            assert 0 <= first.weight <= 100, f"weight {first.weight} is out of range"

    def test_it_has_a_title(self) -> None:
        """Events and trees show a step by its title."""
        for spec in self.specs:
            title = self.step.title(spec)
            assert title.strip()
            assert "\n" not in title, "a title is one line"


class RouterConformance:
    """What every traffic router promises.

    `specs` holds valid specs of it, at least one; `objects` what people have made beforehand for all of them: what the
    router reads and doesn't create itself. Add what is somebody else's to them, to see that it stays.
    """

    router: ClassVar[AnyRouter]
    specs: ClassVar[Sequence[Any]]
    objects: ClassVar[Mapping[Reference, Raw]] = {}
    owner: ClassVar[Owner] = Owner(
        "web", "default", "uid-web", "web-canary", "web-stable", managed_routes=("beta", "copy")
    )

    def _routes(self) -> Iterator[Route]:
        """Yield the routes of an update, forth and back, with all that the router can do."""
        for weight in (0, 5, 50, 100, 50, 0):
            yield self._route(weight)
        if Ability.HEADER_ROUTES in self.router.abilities:
            match = HeaderRoutingMatch(header_name="X-Version", header_value=StringMatch(exact="beta"))
            yield replace(self._route(5), headers=(SetHeaderRoute(name="beta", match=(match,)),))
        if Ability.QUERY_PARAMETERS in self.router.abilities:
            yield self._by_parameter()
        if Ability.MIRROR_ROUTES in self.router.abilities:
            reading = RouteMatch(method=StringMatch(exact="GET"))
            yield replace(self._route(5), mirrors=(SetMirrorRoute(name="copy", match=(reading,), percentage=30),))
        if Ability.SESSION_AFFINITY in self.router.abilities:
            update = update_of(self.owner.rollout, "canary", "stable")
            yield replace(self._route(5), affinity=_affinity(update, 5))
            anew = Returning((stable_value(update, 5),), 15, 80)
            yield replace(self._route(20), affinity=_affinity(update, 20, anew))
        if Ability.EXPERIMENTS in self.router.abilities:
            route = self._route(5)
            stable = replace(route.stable, weight=route.stable.weight - 5)
            yield replace(route, stable=stable, additional=(Destination("web-baseline", "baseline", 5),))
        yield self._route(0)

    def _by_parameter(self) -> Route:
        match = HeaderRoutingMatch(query_param_name="version", query_param_value=StringMatch(exact="beta"))
        return replace(self._route(5), headers=(SetHeaderRoute(name="beta", match=(match,)),))

    def _route(self, weight: int) -> Route:
        return Route(
            Destination(self.owner.canary_service, "canary", weight),
            Destination(self.owner.stable_service, "stable", 100 - weight),
        )

    def _read(self, spec: Any, live: Objects) -> dict[Reference, Raw | None]:
        return picked(self.router.reads(spec, self.owner), live)

    def _written(self, spec: Any, route: Route, live: Objects) -> dict[Reference, Raw | None]:
        """Return the objects once a route has been written."""
        return applied(live, self.router.write(spec, self.owner, route, self._read(spec, live)))

    def test_it_has_a_key_a_model_and_specs(self) -> None:
        """A router is found by its key, and its spec is read by its model."""
        assert self.router.key, "key is empty: it is the field of the router, or its name among the plugins"
        assert self.specs, "specs is empty: name at least one valid spec"
        for spec in self.specs:
            assert isinstance(spec, self.router.model), f"{spec!r} is no {self.router.model.__name__}"

    def test_valid_specs_have_no_problems(self) -> None:
        """Validation lets through what works, with a cluster and without."""
        for spec in self.specs:
            for objects in (None, self._read(spec, self.objects)):
                assert list(self.router.problems(spec, self.owner, objects)) == []

    def test_what_it_reads_is_always_the_same(self) -> None:
        """The controller watches what is read: that must not depend on the moment."""
        for spec in self.specs:
            assert self.router.reads(spec, self.owner) == self.router.reads(spec, self.owner)
            assert self.router.reads(spec, self.owner), "reads is empty: a router keeps its route in some object"

    def test_a_route_that_is_written_is_not_written_again(self) -> None:
        """Nothing is written that is already so."""
        for spec in self.specs:
            live: Objects = dict(self.objects)
            for route in self._routes():
                live = self._written(spec, route, live)
                again = self.router.write(spec, self.owner, route, self._read(spec, live))
                assert again == (), f"weight {route.canary.weight} is written twice: {again}"

    def test_it_writes_only_what_it_reads(self) -> None:
        """Whoever writes an object must have seen it."""
        for spec in self.specs:
            for route in self._routes():
                read = self._read(spec, self.objects)
                for write in self.router.write(spec, self.owner, route, read):
                    assert write.reference in read, f"{write.reference} isn't read"

    def test_the_way_back_leaves_nothing_behind(self) -> None:
        """There and back again, the objects are as they were: nothing piles up, nothing of others is lost."""
        for spec in self.specs:
            first, *others = self._routes()
            begin = self._written(spec, first, self.objects)
            live: Objects = begin
            for route in (*others, first):
                live = self._written(spec, route, live)
            assert _existing(live) == _existing(begin)

    def test_leaving_gives_the_objects_back(self) -> None:
        """Left in the middle of an update they are as if left at rest; and they are left once."""
        rest = self._route(0)
        for spec in self.specs:
            began = self._written(spec, rest, self.objects)
            quiet = _existing(self._left(spec, rest, began))
            live: Objects = began
            for route in self._routes():
                live = self._written(spec, route, live)
                left = self._left(spec, rest, live)
                assert _existing(left).keys() >= self.objects.keys(), "an object that people have made is gone"
                made_by_people = {place: raw for place, raw in _existing(left).items() if place in self.objects}
                assert made_by_people == {place: raw for place, raw in quiet.items() if place in self.objects}
                again = self.router.leave(spec, self.owner, rest, self._read(spec, left))
                assert again == (), f"it leaves twice: {again}"

    def _left(self, spec: Any, rest: Route, live: Objects) -> dict[Reference, Raw | None]:
        """Return the objects once the router has left them, which it does in more passes than one if need be."""
        for _ in range(3):
            writes = self.router.leave(spec, self.owner, rest, self._read(spec, live))
            assert not any(isinstance(each, Create) for each in writes), "leaving creates nothing"
            live = applied(live, writes)
        return dict(live)

    def test_writing_is_pure(self) -> None:
        """The same question gets the same answer, and what was read stays as it was."""
        for spec in self.specs:
            live = self._read(spec, self.objects)
            before = deepcopy(live)
            for route in self._routes():
                assert self.router.write(spec, self.owner, route, live) == self.router.write(
                    spec, self.owner, route, live
                )
            assert live == before, "write has changed what it was given"

    def test_another_size_of_the_scale_is_respected(self) -> None:
        """A router that says it knows maxTrafficWeight tells 5 of 1000 from 5 of 100."""
        if Ability.MAX_WEIGHT not in self.router.abilities:
            return
        for spec in self.specs:
            _, few, *_ = self._routes()
            fewer = replace(few, stable=replace(few.stable, weight=995), max_weight=1000)
            assert self._written(spec, few, self.objects) != self._written(spec, fewer, self.objects)

    def test_clients_that_stick_change_the_objects(self) -> None:
        """A router that says it knows sessionAffinity writes it down, wherever requests have cookies."""
        if Ability.SESSION_AFFINITY not in self.router.abilities:
            return
        sticky = next(each for each in self._routes() if each.affinity is not None)
        plain = [(spec, self._written(spec, self._route(5), self.objects)) for spec in self.specs]
        assert any(self._written(spec, sticky, live) != live for spec, live in plain)

    def test_query_parameters_change_the_objects(self) -> None:
        """A router that says it compares query parameters writes them down, wherever requests have some."""
        if Ability.QUERY_PARAMETERS not in self.router.abilities:
            return
        assert Ability.HEADER_ROUTES in self.router.abilities, "query parameters are asked for in header routes"
        plain = [(spec, self._written(spec, self._route(5), self.objects)) for spec in self.specs]
        assert any(self._written(spec, self._by_parameter(), live) != live for spec, live in plain)

    def test_what_is_not_verified_has_a_reason(self) -> None:
        """A wait without a reason is what people call stuck."""
        for spec in self.specs:
            for route in self._routes():
                live = self._written(spec, route, self.objects)
                seen = self.router.seen(spec, self.owner, self._read(spec, live))
                assert isinstance(seen, Seen)
                assert seen.verified is not False or seen.because.strip(), "because is empty"


def _affinity(update: str, weight: int, *anew: Returning) -> Affinity:
    canary, stable = canary_value(update), stable_value(update, weight)
    returning = (Returning((canary,), 100, 0), *anew, Returning((stable,), 0, 100))
    return Affinity("rollout-web", "Max-Age=60; Path=/", canary, stable, returning)


def _existing(objects: Objects) -> dict[Reference, Raw]:
    return {reference: raw for reference, raw in objects.items() if raw is not None}


def applied(objects: Objects, writes: Sequence[Write]) -> dict[Reference, Raw | None]:
    """Return objects as an API server has them after some writes."""
    live = dict(objects)
    for write in writes:
        if isinstance(write, Delete):
            live[write.reference] = None
        elif isinstance(write, Create):
            assert live.get(write.reference) is None, f"{write.reference} exists already"
            live[write.reference] = write.body
        else:
            assert live.get(write.reference) is not None, f"{write.reference} doesn't exist"
            live[write.reference] = merged(live[write.reference], write.body)
    return live
