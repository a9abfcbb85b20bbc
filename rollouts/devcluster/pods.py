"""What becomes of a pod? The stand-in for scheduler and kubelet: bound, started, ready, restarted, stopped."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from rollouts.devcluster.builtin import builtin
from rollouts.devcluster.containers import EXITED, Container
from rollouts.devcluster.objects import annotations_of, condition, is_terminating, key_of, with_metadata
from rollouts.devcluster.scripts import HANDS_OFF, STOP_AFTER, UNREADY, init_script, script_of, seconds
from rollouts.devcluster.work import Worker

if TYPE_CHECKING:
    from datetime import datetime

    from rollouts.devcluster.api import Api
    from rollouts.devcluster.network import Network
    from rollouts.devcluster.objects import Key, Object
    from rollouts.devcluster.store import Change

NODE = "devcluster"
_HOST = "127.0.0.1"
_OWN_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


@dataclass(slots=True)
class _Run:
    """What the kubelet remembers of a pod."""

    uid: str
    address: str
    started: str
    init: list[Container]
    main: list[Container] = field(default_factory=list)
    stop_at: datetime | None = None


class Pods:
    """Plays all pods."""

    def __init__(self, api: Api, pod_start: float, crash_back_off: float, network: Network) -> None:
        self._api = api
        self._kind = builtin("Pod")
        self._pod_start = pod_start
        self._back_off = crash_back_off
        self._runs: dict[Key, _Run] = {}
        self._network = network
        self.worker = Worker(self.sync)
        api.collection(self._kind).subscribe(self._changed)

    def _changed(self, change: Change) -> None:
        self.worker.add(key_of(change.object))

    def sync(self, key: Key) -> float | None:
        """Bring a pod's status up to date."""
        pod = self._api.collection(self._kind).get(key)
        if pod is None:
            self._forget(key)
            return None
        if annotations_of(pod).get(HANDS_OFF) == "true":
            return None
        now = self._api.clock.now()
        run = self._runs.get(key)
        if run is None or run.uid != pod["metadata"]["uid"]:
            self._forget(key)
            run = self._runs[key] = self._start(pod, now)
        if is_terminating(pod):
            return self._stop(pod, run, now)
        if not pod["spec"].get("nodeName"):
            pod = self._api.store.put("pods", {**pod, "spec": {**pod["spec"], "nodeName": NODE}})
        due = self._play(pod, run, now)
        status = self._status(pod, run, now)
        self._api.put_status(self._kind, pod, status)
        return None if due is None else max(0.001, (due - now).total_seconds())

    def _start(self, pod: Object, now: datetime) -> _Run:
        spec = pod["spec"]
        policy = "Never" if spec.get("restartPolicy") == "Never" else "OnFailure"
        init = [
            Container(each["name"], each["image"], init_script(each, self._pod_start), policy, self._back_off, now)
            for each in spec.get("initContainers") or []
        ]
        return _Run(pod["metadata"]["uid"], self._network.take(), self._api.clock.stamp(), init)

    def _forget(self, key: Key) -> None:
        run = self._runs.pop(key, None)
        if run is not None:
            self._network.give_back(run.address)

    def _play(self, pod: Object, run: _Run, now: datetime) -> datetime | None:
        for each in run.init:
            due = each.advance(now)
            if each.state != EXITED or each.script.exit_code:
                return due
        self._recast(pod, run, now)
        dues = [due for each in run.main if (due := each.advance(now)) is not None]
        return min(dues, default=None)

    def _recast(self, pod: Object, run: _Run, now: datetime) -> None:
        """Give every container its part: at the start, and again when its image was changed."""
        playing = {each.name: each for each in run.main}
        policy, notes = pod["spec"].get("restartPolicy", "Always"), annotations_of(pod)
        main = []
        for each in pod["spec"]["containers"]:
            old = playing.get(each["name"])
            script = script_of(each, notes, self._pod_start)
            if old is None or old.image != each["image"]:
                container = Container(each["name"], each["image"], script, policy, self._back_off, now)
                container.restarts = old.restarts + 1 if old else 0
            else:
                container = old
                container.script = script
            main.append(container)
        run.main = main

    # --- status -----------------------------------------------------------------------------------------------------

    def _status(self, pod: Object, run: _Run, now: datetime) -> Object:
        unready = annotations_of(pod).get(UNREADY) == "true"
        creating: Object = {"waiting": {"reason": "PodInitializing" if run.init else "ContainerCreating"}}
        main = [each.status(now, forced_unready=unready) for each in run.main] or [
            {**_blank(each), "state": creating} for each in pod["spec"]["containers"]
        ]
        old = pod.get("status") or {}
        status: Object = {
            "phase": _phase(run),
            "conditions": self._conditions(pod, run, main),
            "hostIP": _HOST,
            "hostIPs": [{"ip": _HOST}],
            "startTime": run.started,
            "containerStatuses": main,
            "qosClass": old.get("qosClass", "BestEffort"),
        }
        if any(each.has_started() for each in run.main):
            status |= {"podIP": run.address, "podIPs": [{"ip": run.address}]}
        if run.init:
            status["initContainerStatuses"] = [each.status(now, forced_unready=True) for each in run.init]
        if pod["metadata"].get("generation"):
            status["observedGeneration"] = pod["metadata"]["generation"]
        return status

    def _conditions(self, pod: Object, run: _Run, main: list[Object]) -> list[Object]:
        unready = [each["name"] for each in main if not each["ready"]]
        done = _phase(run) == "Succeeded"
        reason = "PodCompleted" if done else "ContainersNotReady"
        text = "" if done else f"containers with unready status: [{' '.join(unready)}]"
        initialized = all(each.state == EXITED and not each.script.exit_code for each in run.init)
        gates = [each["conditionType"] for each in pod["spec"].get("readinessGates") or []]
        status = pod.get("status") or {}
        shut = [gate for gate in gates if (condition(status, gate) or {}).get("status") != "True"]
        ready = (not unready, reason, text) if unready or not shut else (False, "ReadinessGatesNotReady", _gates(shut))
        answers = {
            "PodReadyToStartContainers": (True, "", ""),
            "Initialized": (initialized, "ContainersNotInitialized", "containers with incomplete status"),
            "Ready": ready,
            "ContainersReady": (not unready, reason, text),
            "PodScheduled": (True, "", ""),
        }
        own = [self._condition(status, kind, *answers[kind]) for kind in _OWN_CONDITIONS]
        return own + [each for each in status.get("conditions") or [] if each["type"] not in _OWN_CONDITIONS]

    def _condition(self, status: Object, kind: str, holds: bool, reason: str, text: str) -> Object:  # noqa: FBT001
        old = condition(status, kind)
        value = "True" if holds else "False"
        since = old["lastTransitionTime"] if old and old["status"] == value else self._api.clock.stamp()
        found: Object = {"type": kind, "status": value, "lastProbeTime": None, "lastTransitionTime": since}
        if not holds:
            found |= {"reason": reason, "message": text} if text else {"reason": reason}
        return found

    # --- the end ----------------------------------------------------------------------------------------------------

    def _stop(self, pod: Object, run: _Run, now: datetime) -> float | None:
        meta = pod["metadata"]
        grace = float(meta.get("deletionGracePeriodSeconds") or 0)
        if run.stop_at is None:
            asked = annotations_of(pod).get(STOP_AFTER)
            wanted = seconds(asked, self._pod_start) if asked else self._pod_start
            run.stop_at = now + timedelta(seconds=grace if wanted is None else min(wanted, grace))
        left = (run.stop_at - now).total_seconds()
        if left > 0:
            return left
        if grace:
            self._api.settle(self._kind, pod, with_metadata(pod, deletionGracePeriodSeconds=0))
        return None


def _gates(shut: list[str]) -> str:
    return f'corresponding condition of pod readiness gate "{shut[0]}" does not exist or is not True.'


def _blank(container: Object) -> Object:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "restartCount": 0,
        "ready": False,
        "started": False,
        "lastState": {},
    }


def _phase(run: _Run) -> str:
    if any(each.state == EXITED and each.script.exit_code for each in run.init):
        return "Failed"
    if not run.main or not all(each.has_started() for each in run.main):
        return "Pending"
    if all(each.state == EXITED for each in run.main):
        return "Failed" if any(each.script.exit_code for each in run.main) else "Succeeded"
    return "Running"
