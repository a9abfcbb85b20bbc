"""What does the judge want to know? Who is compared with whom, by which numbers, and what is allowed."""

from typing import Annotated, Literal

from pydantic import Field, Strict, WithJsonSchema

from rollouts.api.base import Bool, IntOrString, Model
from rollouts.api.meta import OpenObject

# A definition can't say "a number or a text" but by leaving the field open: 0.005, "0.5%" and an argument all fit.
Share = Annotated[
    Annotated[float, Strict()] | str,
    WithJsonSchema({"x-kubernetes-preserve-unknown-fields": True}),
]


class JudgedRequests(Model):
    """Counts of requests. Set total, and bad or good.

    A query with $window answers how many there were in that time, which reaches back to the start of the run. One
    without reads a counter: how many there were ever.
    """

    total: str = Field(description="Query for the number of requests.")
    bad: str | None = Field(None, description="Query for those that failed, or were too slow.")
    good: str | None = Field(None, description="Query for the other ones, where that is easier, as in histograms.")


class JudgedSamples(Model):
    """Samples, such as latencies. They are compared once."""

    query: str = Field(description="Query for all values of one version, in $window.")
    worse: Literal["higher", "lower"] = Field("higher", description="Which values are worse. Defaults to higher.")


class JudgeMetric(Model):
    """A comparison of the canary with a baseline, by statistics. Set requests or samples.

    In queries, and wherever else in source, $version stands for either side, $window for the time since the run began
    (as in 90s), and $seconds for the number of its seconds.
    """

    source: OpenObject = Field(
        description="Whom to ask: one metric provider by its name, configured as usual but without its query."
    )
    canary: str = Field(description="What $version stands for on the canary's side, such as its pod template hash.")
    baseline: str = Field(description="The same for what it is compared with: stable, or an experiment's template.")
    requests: JudgedRequests | None = Field(
        None, description="Judge by the share of bad requests, with every measurement."
    )
    samples: JudgedSamples | None = Field(None, description="Judge by samples such as latencies, once.")
    margin: Share | None = Field(
        None,
        description=(
            "How much worse the canary may be. Of requests: what may be added to the baseline's share, for example "
            "0.5%. Of samples: a shift in their unit, or in percent of the baseline's median. Defaults to 0."
        ),
    )
    ratio: Share | None = Field(
        None,
        description="How many times the baseline's share may be bad, besides margin. Requests only; defaults to 1.",
    )
    alpha: Share | None = Field(
        None, description="The chance that a canary fails wrongly, over all measurements together. Defaults to 0.05."
    )
    burst: IntOrString | None = Field(
        None,
        description=(
            "How many requests may be bad for one cause, such as three tries of one client. Requests only; "
            "defaults to 1."
        ),
    )
    minimum: IntOrString | None = Field(
        None,
        description="How many requests or values either side must have. Defaults to 100 requests, or 20 values.",
    )
    too_few: Literal["wait", "inconclusive", "successful"] = Field(
        "wait",
        description=(
            "What a measurement is while there are fewer: wait measures again after the interval without counting. "
            "Defaults to wait."
        ),
    )
    undecided: Literal["successful", "inconclusive"] = Field(
        "successful",
        description=(
            "What the last measurement is when the canary was shown neither to be worse than allowed nor not to be. "
            "Defaults to successful."
        ),
    )
    end_early: Bool | None = Field(
        None, description="End the metric as soon as the canary is shown not to be worse than allowed."
    )
