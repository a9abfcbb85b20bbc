"""Which pods does a Job still need, and has it completed or failed?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollouts.api.timestamps import parse_time
from rollouts.devcluster.api import INTERNAL
from rollouts.devcluster.builtin import builtin
from rollouts.devcluster.deletion import DeleteOptions, delete
from rollouts.devcluster.objects import Owner, controller_of, is_terminating, is_true, key_of, metadata, value_at
from rollouts.devcluster.replicasets import is_active
from rollouts.devcluster.work import Worker

if TYPE_CHECKING:
    from rollouts.devcluster.api import Api
    from rollouts.devcluster.objects import Key, Object
    from rollouts.devcluster.store import Change

_OWNER = Owner("batch/v1", "Job")
_MOST_BACK_OFF = 600.0


def _phase(pod: Object) -> str:
    return str((pod.get("status") or {}).get("phase", ""))


class Jobs:
    """Runs all Jobs."""

    def __init__(self, api: Api, back_off: float) -> None:
        self._api = api
        self._back_off = back_off
        self._kind, self._pod = builtin("Job"), builtin("Pod")
        self._jobs = api.collection(self._kind)
        self.worker = Worker(self.sync)
        self._jobs.subscribe(lambda change: self.worker.add(key_of(change.object)))
        api.collection(self._pod).subscribe(self._pod_changed)

    def _pod_changed(self, change: Change) -> None:
        ref = controller_of(change.object)
        found = self._api.store.by_uid(ref["uid"]) if ref else None
        if found and found[0] == self._kind.resource:
            self.worker.add(key_of(found[1]))

    def sync(self, key: Key) -> float | None:
        """Create or delete pods, then write the status."""
        job = self._jobs.get(key)
        if job is None or is_terminating(job):
            return None
        if is_true(job, "Complete") or is_true(job, "Failed"):
            return self._expire(job)
        pods = [pod for _, pod in self._api.store.dependents(job["metadata"]["uid"], "pods")]
        active = [pod for pod in pods if is_active(pod)]
        old = job.get("status") or {}
        succeeded = max(old.get("succeeded", 0), sum(_phase(pod) == "Succeeded" for pod in pods))
        failed = max(old.get("failed", 0), sum(_phase(pod) == "Failed" for pod in pods))
        end = self._end(job, active, succeeded, failed)
        again = None
        if end or job["spec"].get("suspend"):
            self._delete(active)
            active = []
        else:
            again = self._fill(job, pods, active, succeeded, failed)
        self._write_status(job, active, succeeded, failed, end)
        return self._deadline(job) if again is None else again

    def _end(self, job: Object, active: list[Object], succeeded: int, failed: int) -> tuple[str, str, str] | None:
        """Return how the job ended: condition, reason, message."""
        spec = job["spec"]
        wanted = spec.get("completions")
        if succeeded and not active if wanted is None else succeeded >= wanted:
            return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
        statuses = [each for pod in active for each in value_at(pod, ("status", "containerStatuses")) or []]
        restarts = sum(each.get("restartCount", 0) for each in statuses)
        if failed > spec["backoffLimit"] or restarts > spec["backoffLimit"]:
            return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        left = self._deadline(job)
        if left is not None and left <= 0:
            return "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
        return None

    def _deadline(self, job: Object) -> float | None:
        limit, started = job["spec"].get("activeDeadlineSeconds"), value_at(job, ("status", "startTime"))
        if limit is None or job["spec"].get("suspend"):
            return None
        if not started:
            return float(limit)
        return float(limit) - (self._api.clock.now() - parse_time(started)).total_seconds()

    def _delete(self, pods: list[Object]) -> None:
        for pod in pods:
            delete(self._api, self._pod, pod, DeleteOptions())

    def _fill(self, job: Object, pods: list[Object], active: list[Object], succeeded: int, failed: int) -> float | None:
        spec = job["spec"]
        wanted = spec.get("completions")
        most = spec["parallelism"]
        need = most if wanted is None else min(most, wanted - succeeded)
        if wanted is None and succeeded:
            need = len(active)
        self._delete(active[max(0, need) :])
        missing = need - len(active)
        wait = self._wait(pods, failed) if missing > 0 else 0.0
        if wait > 0:
            return wait
        for _ in range(missing):
            self._create(job)
        return None

    def _wait(self, pods: list[Object], failed: int) -> float:
        """Return how long to hold back after failures."""
        if not failed:
            return 0.0
        back_off = min(self._back_off * 2 ** (failed - 1), _MOST_BACK_OFF)
        ends = [
            str(value_at(each, ("state", "terminated", "finishedAt")))
            for pod in pods
            if _phase(pod) == "Failed"
            for each in value_at(pod, ("status", "containerStatuses")) or []
            if value_at(each, ("state", "terminated", "finishedAt"))
        ]
        if not ends:
            return 0.0
        return float(back_off) - (self._api.clock.now() - parse_time(max(ends))).total_seconds()

    def _create(self, job: Object) -> None:
        template, meta = job["spec"]["template"], job["metadata"]
        source = metadata(template)
        kept: Object = {name: source[name] for name in ("labels", "annotations") if name in source}
        pod = {
            "metadata": {**kept, "generateName": f"{meta['name']}-", "ownerReferences": [_OWNER.reference(job)]},
            "spec": dict(template["spec"]),
        }
        self._api.create(self._pod, meta["namespace"], pod, INTERNAL)

    def _write_status(
        self, job: Object, active: list[Object], succeeded: int, failed: int, end: tuple[str, str, str] | None
    ) -> None:
        old, now = job.get("status") or {}, self._api.clock.stamp()
        counts = {
            "active": len(active),
            "ready": sum(is_true(pod, "Ready") for pod in active),
            "succeeded": succeeded,
            "failed": failed,
        }
        status: Object = {name: count for name, count in counts.items() if count or name == "ready"}
        status |= {"terminating": 0, "uncountedTerminatedPods": {}}
        if job["spec"].get("suspend"):
            status["conditions"] = [_condition(old, "Suspended", "JobSuspended", "Job suspended", now)]
        else:
            status["startTime"] = old.get("startTime", now)
        if end:
            kind, reason, text = end
            first = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}[kind]
            status["conditions"] = [_condition(old, each, reason, text, now) for each in (first, kind)]
            if kind == "Complete":
                status["completionTime"] = now
        self._api.put_status(self._kind, job, status)

    def _expire(self, job: Object) -> float | None:
        limit = job["spec"].get("ttlSecondsAfterFinished")
        if limit is None:
            return None
        ended = max(each["lastTransitionTime"] for each in job["status"]["conditions"])
        left = limit - (self._api.clock.now() - parse_time(ended)).total_seconds()
        if left <= 0:
            delete(self._api, self._kind, job, DeleteOptions(policy="Foreground"))
            return None
        return float(left)


def _condition(old: Object, kind: str, reason: str, text: str, now: str) -> Object:
    known = next((each for each in old.get("conditions") or [] if each["type"] == kind), None)
    if known is not None:
        return dict(known)
    times = {"lastProbeTime": now, "lastTransitionTime": now}
    return {"type": kind, "status": "True", "reason": reason, "message": text, **times}
