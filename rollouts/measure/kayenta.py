"""How does Kayenta judge a canary? It is asked to begin, and then every 15 seconds whether it is done.

Its API: https://github.com/spinnaker/kayenta/blob/master/docs/ (canary judgements and configurations).
"""

from collections.abc import Generator, Iterator
from datetime import timedelta
from typing import Any

import orjson

from rollouts.api.providers import KayentaMetric, KayentaScope
from rollouts.measure.addresses import address_problems, joined, segment
from rollouts.measure.answers import asked_for_json, at, number, unexpected
from rollouts.ports.provider import (
    Asked,
    Flow,
    MeasurementError,
    Outcome,
    Pending,
    Provider,
    Request,
    Response,
    Verdict,
)

_EXECUTION = "canaryExecutionId"
_AGAIN_AFTER = timedelta(seconds=15)
_TIMEOUT = 15.0


class Kayenta(Provider[KayentaMetric]):
    """A score between 0 and 100, which the thresholds judge: conditions aren't looked at."""

    key = "kayenta"
    model = KayentaMetric

    def problems(self, spec: KayentaMetric) -> Iterator[tuple[str, str]]:
        yield from address_problems("address", spec.address)
        if not spec.scopes:
            yield "scopes", "scopes is empty: name at least one pair of controlScope and experimentScope"
        for index, pair in enumerate(spec.scopes):
            for name, scope in (("controlScope", pair.control_scope), ("experimentScope", pair.experiment_scope)):
                if scope is None:
                    yield f"scopes[{index}].{name}", f"{name} is missing: say which pods, where and when"
        if spec.threshold.marginal > spec.threshold.pass_:
            yield (
                "threshold",
                (f"marginal {spec.threshold.marginal} is above pass {spec.threshold.pass_}: no score is in between"),
            )

    def flow(self, spec: KayentaMetric, asked: Asked) -> Flow:
        execution = asked.metadata.get(_EXECUTION)
        if execution:
            return (yield from _looked_at(spec, execution))
        return (yield from _begun(spec))


def _begun(spec: KayentaMetric) -> Flow:
    config = yield from _config(spec)
    accounts = {
        "application": spec.application,
        "metricsAccountName": spec.metrics_account_name,
        "configurationAccountName": spec.configuration_account_name,
        "storageAccountName": spec.storage_account_name,
    }
    url = joined(spec.address, f"/canary/{segment(config)}", accounts)
    body = {
        "scopes": {
            pair.name: {
                "controlScope": _scope(pair.control_scope),
                "experimentScope": _scope(pair.experiment_scope),
            }
            for pair in spec.scopes
        },
        "thresholds": {"pass": spec.threshold.pass_, "marginal": spec.threshold.marginal},
    }
    request = Request("POST", url, {"Content-Type": "application/json"}, orjson.dumps(body), timeout=_TIMEOUT)
    answer = yield from asked_for_json(request)
    execution = at(answer, _EXECUTION)
    if not isinstance(execution, str) or not execution:
        raise unexpected(request, f"no {_EXECUTION}")
    return Pending(_AGAIN_AFTER, {_EXECUTION: execution})


def _config(spec: KayentaMetric) -> Generator[Request, Response, str]:
    """Find the id of the canary configuration by its name."""
    query = {"application": spec.application, "configurationAccountName": spec.configuration_account_name}
    request = Request("GET", joined(spec.address, "/canaryConfig", query), timeout=_TIMEOUT)
    answer = yield from asked_for_json(request)
    for each in answer if isinstance(answer, list) else []:
        found = at(each, "id")
        if at(each, "name") == spec.canary_config_name and isinstance(found, str) and found:
            return found
    raise MeasurementError(
        f"Kayenta has no canary configuration {spec.canary_config_name!r} for application {spec.application!r}: "
        "look at canaryConfigName, application and configurationAccountName"
    )


def _scope(scope: KayentaScope | None) -> Any:
    return scope and scope.model_dump(mode="json", by_alias=True, exclude_none=True)


def _looked_at(spec: KayentaMetric, execution: str) -> Generator[Request, Response, Outcome]:
    metadata = {_EXECUTION: execution}
    request = Request("GET", joined(spec.address, f"/canary/{segment(execution)}"), timeout=_TIMEOUT)
    answer = yield from asked_for_json(request)
    complete = at(answer, "complete")
    if not isinstance(complete, bool):
        raise unexpected(request, "no word about whether the judgement is complete")
    if not complete:
        return Pending(_AGAIN_AFTER, metadata)
    found = number(at(answer, "result", "judgeResult", "score", "score"))
    if found is None or not 0 <= found <= 100:
        status = str(at(answer, "status") or "unknown")[:100]
        raise MeasurementError(
            f"Kayenta's judgement {execution!r} is complete without a score; its status is {status!r}"
        )
    score, threshold = int(found), spec.threshold
    if score >= threshold.pass_:
        return Verdict("Successful", str(score), metadata=metadata)
    if score >= threshold.marginal:
        message = f"score {score} is below pass {threshold.pass_}, and not below marginal {threshold.marginal}"
        return Verdict("Inconclusive", str(score), message, metadata)
    return Verdict("Failed", str(score), f"score {score} is below marginal {threshold.marginal}", metadata)
