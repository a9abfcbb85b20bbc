"""Does a plugin keep the promises of the ports? Conformance classes for test suites, ours and yours.

Subclass in a module that pytest collects, and say what to test::

    class TestMyStep(StepConformance):
        step = MyStep()
        specs = (MySpec(...), MySpec(...))

Each class needs no more than plain `assert`.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from rollouts.ports.step import AnyStep, Gate, Here, Open, Shut, Wishes

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
