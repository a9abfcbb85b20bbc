"""Does every measurement that is asked for come back, whatever its Secrets, its provider and the answer are like?"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from rollouts.api.providers import WebMetric
from rollouts.fetch import open_session
from rollouts.fetch.perform import Bench, ReadSecret, perform
from rollouts.plan.analysis.due import Measure
from rollouts.plan.analysis.observed import Taken, observe_run
from rollouts.plan.analysis.run import plan_analysis
from rollouts.ports import Kit
from rollouts.ports.provider import (
    Asked,
    Flow,
    MeasurementError,
    Provider,
    Reading,
    SecretRef,
    Stopping,
    Verdict,
)
from tests.plan.analysis.given import metric, run
from tests.plan.given import after

ARGS = [{"name": "token", "valueFrom": {"secretKeyRef": {"name": "creds", "key": "token"}}}]
WEB = metric(provider={"web": {"url": "{{args.token}}"}})


class Echo(Provider[WebMetric]):
    """Returns what it was asked."""

    key = "web"
    model = WebMetric

    def __init__(self) -> None:
        self.stopped: list[Mapping[str, str]] = []

    def secrets_of(self, spec: WebMetric, namespace: str) -> tuple[SecretRef, ...]:
        del spec
        return (SecretRef("own", namespace),)

    def flow(self, spec: WebMetric, asked: Asked) -> Flow:
        yield from ()
        own = asked.secrets[SecretRef("own", "shop")]
        return Reading([spec.url, own, dict(asked.settings), dict(asked.metadata)], "")

    def terminate(self, spec: WebMetric, asked: Asked) -> Stopping:
        del spec
        self.stopped.append(asked.metadata)
        yield from ()


async def secrets(reference: SecretRef) -> Mapping[str, str] | None:
    return {"creds": {"token": "http://t"}, "own": {"a": "b"}}.get(reference.name)


async def no_secret(reference: SecretRef) -> Mapping[str, str] | None:
    del reference
    return None


async def other_keys(reference: SecretRef) -> Mapping[str, str] | None:
    del reference
    return {"key": "value"}


async def forbidden(reference: SecretRef) -> Mapping[str, str] | None:
    raise MeasurementError(f"reading the Secret {reference.name} is forbidden")


def measure_of(raw: dict[str, Any], kit: Kit) -> Measure:
    (measure,) = plan_analysis(observe_run(raw), after(0), kit).measure
    return measure


async def performed(measure: Measure, kit: Kit, read: ReadSecret = secrets) -> Taken:
    async with open_session() as session:
        return await perform(measure, Bench(kit, "shop", session, read, lambda: {"A": "1"}, lambda: after(2)))


def kit_of(provider: Echo) -> Kit:
    return Kit(steps={}, providers={"web": provider})


async def test_a_provider_gets_its_arguments_secrets_and_settings() -> None:
    kit = kit_of(Echo())
    taken = await performed(measure_of(run(WEB, args=ARGS), kit), kit)
    outcome = Reading(["http://t", {"a": "b"}, {"A": "1"}, {}], "")
    assert taken == Taken("errors", after(0), after(2), outcome, "", {"token": "http://t"})


@pytest.mark.parametrize(
    ("read", "error"),
    [
        (no_secret, 'the Secret "creds" does not exist'),
        (other_keys, 'the Secret "creds" has no key "token"'),
        (forbidden, "reading the Secret creds is forbidden"),
    ],
)
async def test_a_secret_that_cannot_be_had_is_an_error_of_the_measurement(read: ReadSecret, error: str) -> None:
    kit = kit_of(Echo())
    taken = await performed(measure_of(run(WEB, args=ARGS), kit), kit, read)
    assert (taken.outcome, taken.error) == (None, error)


async def test_a_measurement_is_stopped_with_what_was_noted() -> None:
    provider = Echo()
    kit = kit_of(provider)
    measure = measure_of(run(WEB, args=ARGS), kit)
    taken = await performed(dataclasses.replace(measure, verb="terminate", metadata={"id": "7"}), kit)
    assert provider.stopped == [{"id": "7"}]
    assert taken.outcome == Verdict("Inconclusive")
