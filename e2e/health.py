"""In which health is a Rollout, as a person says who reads its spec, counts and hashes and never its phase?"""

from typing import Any

Json = dict[str, Any]
TIMED_OUT = "ProgressDeadlineExceeded"
WORKLOAD_GENERATION = "rollout.argoproj.io/workload-generation"


def is_answered(obj: Json) -> bool:
    """Whether the controller has answered what people last wrote into the status."""
    status = obj.get("status") or {}
    is_paused = any(each["type"] == "Paused" and each["status"] == "True" for each in status.get("conditions") or ())
    if (status.get("controllerPause") or (is_paused and not obj["spec"].get("paused"))) and not status.get(
        "pauseConditions"
    ):
        return False  # resumed
    is_aborted = any(each["reason"] == "RolloutAborted" for each in status.get("conditions") or ())
    return bool(status.get("abort")) == is_aborted


def expected(obj: Json) -> str:
    """Healthy, Progressing, Suspended or Degraded."""
    status = obj.get("status") or {}
    if not _is_seen(obj, status):
        return "Progressing"
    if _has_failed(status):
        return "Degraded"
    if obj["spec"].get("paused") or status.get("pauseConditions"):
        return "Suspended"
    return "Healthy" if _is_done(obj["spec"], status) else "Progressing"


def buttons(obj: Json) -> set[str]:
    """The actions that make sense."""
    spec, status = obj["spec"], obj.get("status") or {}
    is_updating = status.get("currentPodHash") != status.get("stableRS")
    is_paused = bool(spec.get("paused") or status.get("pauseConditions"))
    steps = (spec["strategy"].get("canary") or {}).get("steps") or []
    wanted = {
        "restart": True,
        "resume": is_paused,
        "abort": is_updating and not status.get("abort"),
        "retry": is_updating and bool(status.get("abort")),
        "pause": is_updating and not status.get("abort") and not spec.get("paused"),
        "promote-full": is_updating,
        "skip-current-step": bool(steps) and status.get("currentStepIndex", len(steps)) != len(steps),
    }
    return {name for name, makes_sense in wanted.items() if makes_sense}


def _is_seen(obj: Json, status: Json) -> bool:
    """Whether the status is that of the current spec and of the current template, wherever that is."""
    return status.get("observedGeneration") == str(obj["metadata"]["generation"]) and workload_is_seen(obj)


def workload_is_seen(obj: Json) -> bool:
    """Whether the status is that of the current template of another object, where one is referred to."""
    status = obj.get("status") or {}
    if "workloadRef" not in obj["spec"]:
        return True
    generation = (obj["metadata"].get("annotations") or {}).get(WORKLOAD_GENERATION)
    return bool(status.get("workloadObservedGeneration") == generation)


def _has_failed(status: Json) -> bool:
    conditions = {each["type"]: each for each in status.get("conditions") or ()}
    is_invalid = "InvalidSpec" in conditions
    is_late = conditions.get("Progressing", {}).get("reason") == TIMED_OUT
    return is_invalid or is_late or bool(status.get("abort"))


def _is_done(spec: Json, status: Json) -> bool:
    replicas = spec.get("replicas", 1)
    counts = [status.get(name, 0) for name in ("updatedReplicas", "availableReplicas")]
    current = status.get("currentPodHash")
    facts = [
        bool(current) and status.get("stableRS") == current,
        min(counts) >= replicas,
        spec.get("restartAt") is None or status.get("restartedAt") == spec["restartAt"],
    ]
    if "blueGreen" in spec["strategy"]:
        facts.append((status.get("blueGreen") or {}).get("activeSelector") == current)
    elif not (spec["strategy"].get("canary") or {}).get("trafficRouting"):
        facts.append(status.get("replicas", 0) == status.get("updatedReplicas", 0))
    return all(facts)
