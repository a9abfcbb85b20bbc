"""What does a Job say? Its end decides; a Job that was begun and not recorded is found again by its name."""

import math
import re
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from rollouts.api import keys
from rollouts.api.names import ANALYSIS_RUN, API_VERSION
from rollouts.api.providers import JobMetric
from rollouts.measure.addresses import is_templated
from rollouts.measure.answers import at, list_at
from rollouts.measure.pods import PODS, ended_badly, image_trouble, name_of, waits_for
from rollouts.ports.objects import (
    CreateObject,
    DeleteObject,
    Home,
    ListObjects,
    ObjectKind,
    ObjectRequest,
    Raw,
    ReadObject,
)
from rollouts.ports.provider import (
    Asked,
    Flow,
    MeasurementError,
    ObjectError,
    Outcome,
    Pending,
    Provider,
    Stopping,
    Verdict,
)

JOBS = ObjectKind("batch", "v1", "jobs", "Job")
_NAME, _NAMESPACE = "job-name", "job-namespace"
_ELSEWHERE = "ARGO_ROLLOUTS_ANALYSIS_JOB_KUBECONFIG"
_OTHER_NAMESPACE = "ARGO_ROLLOUTS_ANALYSIS_JOB_NAMESPACE"
# Whether the server did what it was asked to isn't known then.
_UNSURE = frozenset(
    {"Unreachable", "Timeout", "ServerTimeout", "InternalError", "ServiceUnavailable", "TooManyRequests"}
)
_PATIENCE = 60.0
_LONGEST_NAME = 63
_LONGEST_LIST = 5
_UNFIT = re.compile(r"[^a-z0-9.-]+")


class Job(Provider[JobMetric]):
    """Successful if the Job completes, Failed if it fails: conditions aren't looked at."""

    key = "job"
    model = JobMetric
    objects = {  # noqa: RUF012 - as the superclass has it
        JOBS: frozenset({"get", "list", "create", "delete"}),
        PODS: frozenset({"list"}),
    }

    def problems(self, spec: JobMetric) -> Iterator[tuple[str, str]]:
        template = spec.spec.get("template")
        if not isinstance(template, dict):
            yield "spec.template", "is missing: it holds the pod that measures, as in any Job"
            return
        policy = at(template, "spec", "restartPolicy")
        if policy not in {"Never", "OnFailure"} and not is_templated(str(policy)):
            found = "is missing" if policy is None else f"{policy!r} would never let the Job end"
            yield "spec.template.spec.restartPolicy", f"{found}: write Never or OnFailure"
        if not list_at(template, "spec", "containers"):
            yield "spec.template.spec.containers", "is empty: a Job needs a container that measures"

    def home(self, namespace: str, settings: Mapping[str, str]) -> Home:
        return Home(settings.get(_OTHER_NAMESPACE) or namespace, settings.get(_ELSEWHERE, ""))

    def flow(self, spec: JobMetric, asked: Asked) -> Flow:
        name = asked.metadata.get(_NAME)
        home = self.home(asked.namespace, asked.settings)
        try:
            job = yield from _begun(_body(spec, asked, home)) if name is None else _again(name)
        except ObjectError as error:
            if _is_final(error, asked):
                raise
            # The Job may well be there, and it will be found by its name: another one would run beside it.
            return Pending(_again_after(asked), asked.metadata, str(error))
        outcome = yield from _seen(job, asked, {_NAME: name_of(job), _NAMESPACE: home.namespace})
        if isinstance(outcome, Verdict):
            yield from _tidied(asked)
        return outcome

    def terminate(self, spec: JobMetric, asked: Asked) -> Stopping:
        del spec
        yield from DeleteObject(JOBS, asked.metadata.get(_NAME) or _name(asked), "Foreground").ask()


def _name(asked: Asked) -> str:
    """Return the name of the measurement's Job, which fits into a label.

    A metric's name that has to be changed for that gets a digest: two metrics never share a Job.
    """
    turn = asked.turn
    number = str(turn.number)
    room = _LONGEST_NAME - len(turn.uid) - len(number) - 2
    metric = _UNFIT.sub("-", turn.metric.lower()).strip("-.")
    if metric != turn.metric or len(metric) > room:
        digest = sha256(turn.metric.encode()).hexdigest()[:6]
        metric = f"{metric[: room - len(digest) - 1].rstrip('-.')}-{digest}".lstrip("-")
    return f"{turn.uid}.{metric}.{number}"


def _body(spec: JobMetric, asked: Asked, home: Home) -> Raw:
    ours = {keys.JOB_ANALYSIS_RUN_UID: asked.turn.uid}
    template = spec.spec.get("template") or {}
    inner = template.get("metadata") or {}
    metadata: dict[str, Any] = {
        "name": _name(asked),
        "labels": {**((spec.metadata and spec.metadata.labels) or {}), **ours},
        "annotations": {
            **((spec.metadata and spec.metadata.annotations) or {}),
            keys.JOB_ANALYSIS_RUN_NAME: asked.turn.run,
            keys.JOB_ANALYSIS_RUN_NAMESPACE: asked.namespace,
            keys.JOB_METRIC_NAME: asked.turn.metric,
        },
    }
    if home == Home(asked.namespace):  # an owner is known in its own namespace only
        metadata["ownerReferences"] = [_owner(asked)]
    pods = {**template, "metadata": {**inner, "labels": {**(inner.get("labels") or {}), **ours}}}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {**spec.spec, "template": pods}}


def _owner(asked: Asked) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": ANALYSIS_RUN.name,
        "name": asked.turn.run,
        "uid": asked.turn.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _begun(body: Raw) -> Generator[ObjectRequest, Any, Raw]:
    """Create the Job, or take up the one that was created before anybody noted it."""
    name = body["metadata"]["name"]
    try:
        return (yield from CreateObject(JOBS, body).ask())
    except ObjectError as error:
        if error.reason != "AlreadyExists":
            raise
    return (yield from _again(name))


def _again(name: str) -> Generator[ObjectRequest, Any, Raw]:
    job = yield from ReadObject(JOBS, name).ask()
    if job is None:
        raise MeasurementError(
            f"the Job {name} is gone, and nobody saw it end: was it deleted, or is ttlSecondsAfterFinished too short?"
        )
    return job


def _seen(job: Raw, asked: Asked, metadata: Mapping[str, str]) -> Generator[ObjectRequest, Any, Outcome]:
    name = metadata[_NAME]
    if _condition(job, "Complete"):
        return Verdict("Successful", metadata=metadata)
    failed = _condition(job, "Failed")
    if not failed and at(job, "metadata", "deletionTimestamp"):
        raise MeasurementError(f"the Job {name} is being deleted, and it has not ended")
    pods = (yield from _pods(name)) if failed or at(job, "status", "active") else []
    if failed:
        return Verdict("Failed", message=_failure(name, failed, pods), metadata=metadata)
    trouble = next(filter(None, map(image_trouble, pods)), "")
    if trouble:
        return Verdict("Inconclusive", message=f"Job {name}: {trouble}", metadata=metadata)
    waits = next(filter(None, map(waits_for, pods)), "runs")
    return Pending(_again_after(asked), metadata, f"Job {name}: {waits}")


def _condition(job: Raw, kind: str) -> Mapping[str, Any]:
    for each in list_at(job, "status", "conditions"):
        if at(each, "type") == kind and at(each, "status") == "True":
            found: Mapping[str, Any] = each
            return found
    return {}


def _pods(name: str) -> Generator[ObjectRequest, Any, list[Raw]]:
    """Look at the Job's pods, without which it can be told as well how the Job ended."""
    with suppress(ObjectError):
        return list((yield from ListObjects(PODS, f"job-name={name}").ask()))
    return []


def _failure(name: str, failed: Mapping[str, Any], pods: list[Raw]) -> str:
    said = ": ".join(str(each) for each in (failed.get("reason"), failed.get("message")) if each)
    ends = "; ".join(list(filter(None, map(ended_badly, pods)))[-_LONGEST_LIST:])
    return f"Job {name} failed{f': {said}' if said else ''}{f'; {ends}' if ends else ''}"


def _is_final(error: ObjectError, asked: Asked) -> bool:
    """Whether a Job won't be had: the server says no, or has not been able to create it for too long."""
    return error.reason not in _UNSURE or (_NAME not in asked.metadata and _elapsed(asked) > _PATIENCE)


def _elapsed(asked: Asked) -> float:
    began: datetime = asked.turn.started_at or asked.now
    return max(0.0, (asked.now - began).total_seconds())


def _again_after(asked: Asked) -> timedelta:
    """Look often while the Job is young: a longer one may be told later."""
    return timedelta(seconds=max(1.0, math.sqrt(2 * _elapsed(asked))))


def _tidied(asked: Asked) -> Generator[ObjectRequest, Any, None]:
    """Delete the Jobs of measurements that are kept no longer. It may fail: the next one tries again."""
    oldest = asked.turn.number - asked.turn.keep + 1
    if oldest <= 1:
        return
    with suppress(ObjectError):
        jobs = yield from ListObjects(JOBS, f"{keys.JOB_ANALYSIS_RUN_UID}={asked.turn.uid}").ask()
        old = [name_of(each) for each in jobs if _is_of(each, asked) and _number(each) < oldest]
        for name in old[:_LONGEST_LIST]:
            yield from DeleteObject(JOBS, name).ask()


def _is_of(job: Raw, asked: Asked) -> bool:
    return bool(at(job, "metadata", "annotations", keys.JOB_METRIC_NAME) == asked.turn.metric)


def _number(job: Raw) -> float:
    number = name_of(job).rpartition(".")[2]
    return int(number) if number.isdecimal() else math.inf
