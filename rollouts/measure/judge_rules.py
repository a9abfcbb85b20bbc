"""How much worse may the canary be, as people write it? Numbers and percentages become the rules of the statistics."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite

from rollouts.api.judge import JudgeMetric
from rollouts.judge import RateRule, SampleRule
from rollouts.measure.addresses import is_templated

Written = float | int | str | None

_MOST_MARGIN = 0.5  # who writes 0.5 means half a point, not fifty


@dataclass(frozen=True, slots=True)
class _Number:
    """A number in the spec: what it is without one, and which are right."""

    default: float
    is_right: Callable[[float], bool]
    expected: str
    is_whole: bool = False

    def read(self, written: Written) -> float:
        """Read it. Raises ValueError."""
        if written is None:
            return self.default
        try:
            value = _value(written)
        except ValueError:
            raise ValueError(f"{written!r} is no number: {self.expected}") from None
        if not (isfinite(value) and self.is_right(value)) or (self.is_whole and value != int(value)):
            raise ValueError(f"{written} is out of range: {self.expected}")
        return value


_ALPHA = _Number(0.05, lambda value: 0 < value <= 0.25, "write the chance of a wrong verdict, 0.05 or 5% for one in 20")
_OF_REQUESTS = {
    "margin": _Number(
        0.0, lambda value: 0 <= value < _MOST_MARGIN, "write what may be added to the share of bad requests, as in 0.5%"
    ),
    "ratio": _Number(1.0, lambda value: 1 <= value <= 100, "write 1.25 to allow a quarter more than the baseline has"),
    "alpha": _ALPHA,
    "burst": _Number(1, lambda value: 1 <= value <= 1_000, "write a whole number from 1 on", is_whole=True),
    "minimum": _Number(100, lambda value: 1 <= value <= 10**9, "write a whole number from 1 on", is_whole=True),
}
_OF_SAMPLES = {
    "margin": _Number(0.0, lambda value: value >= 0, "write a shift in the samples' unit, or 10% of the median"),
    "alpha": _ALPHA,
    "minimum": _Number(20, lambda value: 1 <= value <= 10**6, "write a whole number from 1 on", is_whole=True),
}


def _is_percent(written: Written) -> bool:
    return isinstance(written, str) and written.rstrip().endswith("%")


def _value(written: float | str) -> float:
    if isinstance(written, str) and _is_percent(written):
        return float(written.rstrip()[:-1]) / 100
    return float(written)


def _written(spec: JudgeMetric) -> dict[str, Written]:
    return {
        "margin": spec.margin,
        "ratio": spec.ratio,
        "alpha": spec.alpha,
        "burst": spec.burst,
        "minimum": spec.minimum,
    }


def rule_problems(spec: JudgeMetric) -> Iterator[tuple[str, str]]:
    """Yield the numbers that can't be used."""
    known = _OF_REQUESTS if spec.samples is None else _OF_SAMPLES
    for name, written in _written(spec).items():
        if written is None or (isinstance(written, str) and is_templated(written)):
            continue
        if name not in known:
            yield name, f"{written} is about requests: leave it out where samples are judged"
            continue
        try:
            known[name].read(written)
        except ValueError as error:
            yield name, str(error)


def rate_rule(spec: JudgeMetric) -> RateRule:
    """Return the rule for requests. Raises ValueError."""
    read = {name: _OF_REQUESTS[name].read(written) for name, written in _written(spec).items()}
    return RateRule(read["ratio"], read["margin"], read["alpha"], int(read["burst"]), int(read["minimum"]))


def sample_rule(spec: JudgeMetric) -> SampleRule:
    """Return the rule for samples. Raises ValueError."""
    margin = _OF_SAMPLES["margin"].read(spec.margin)
    return SampleRule(
        margin=0.0 if _is_percent(spec.margin) else margin,
        share=margin if _is_percent(spec.margin) else 0.0,
        alpha=_ALPHA.read(spec.alpha),
        minimum=int(_OF_SAMPLES["minimum"].read(spec.minimum)),
        higher_is_worse=spec.samples is None or spec.samples.worse == "higher",
    )
