"""How many pods may be disrupted? The status of PodDisruptionBudgets, and the check that an eviction makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollouts.api.intorstring import resolve
from rollouts.devcluster.builtin import builtin
from rollouts.devcluster.errors import ApiError
from rollouts.devcluster.objects import controller_of, is_terminating, is_true, key_of, labels_of, value_at
from rollouts.devcluster.replicasets import is_active
from rollouts.devcluster.selectors import selects
from rollouts.devcluster.work import Worker

if TYPE_CHECKING:
    from rollouts.devcluster.api import Api
    from rollouts.devcluster.objects import Key, Object
    from rollouts.devcluster.store import Change


class Budgets:
    """Keeps the status of all PodDisruptionBudgets."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._kind = builtin("PodDisruptionBudget")
        self._budgets = api.collection(self._kind)
        self.worker = Worker(self.sync)
        self._budgets.subscribe(lambda change: self.worker.add(key_of(change.object)))
        api.collection(builtin("Pod")).subscribe(self._pod_changed)

    def _pod_changed(self, change: Change) -> None:
        for each in self._budgets.objects(change.object["metadata"]["namespace"]):
            if selects(each["spec"].get("selector"), labels_of(change.object)):
                self.worker.add(key_of(each))

    def sync(self, key: Key) -> None:
        """Write a budget's status."""
        budget = self._budgets.get(key)
        if budget is None:
            return
        healthy, desired, expected = health(self._api, budget)
        allowed = max(0, healthy - desired) if expected else 0
        status = {
            "currentHealthy": healthy,
            "desiredHealthy": desired,
            "disruptionsAllowed": allowed,
            "expectedPods": expected,
            "observedGeneration": budget["metadata"].get("generation", 1),
        }
        self._api.put_status(self._kind, budget, status)


def check_budgets(api: Api, pod: Object) -> None:
    """Raise 429 if a budget forbids to evict a pod now."""
    budgets = api.collection(builtin("PodDisruptionBudget")).objects(pod["metadata"]["namespace"])
    found = [each for each in budgets if selects((each.get("spec") or {}).get("selector"), labels_of(pod))]
    if len(found) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise ApiError(500, "InternalError", text)
    for budget in found:
        healthy, desired, _ = health(api, budget)
        if healthy <= desired and is_true(pod, "Ready"):
            name = budget["metadata"]["name"]
            why = f"The disruption budget {name} needs {desired} healthy pods and has {healthy} currently"
            raise ApiError(
                429,
                "TooManyRequests",
                "Cannot evict pod as it would violate the pod's disruption budget.",
                {"causes": [{"reason": "DisruptionBudget", "message": why}]},
            )


def health(api: Api, budget: Object) -> tuple[int, int, int]:
    """Return how many pods are healthy, how many must be, and how many there should be."""
    namespace, spec = budget["metadata"]["namespace"], budget["spec"]
    pods = [each for each in api.store.collection("pods").objects(namespace) if is_active(each)]
    pods = [each for each in pods if selects(spec.get("selector"), labels_of(each))]
    healthy = sum(is_true(each, "Ready") and not is_terminating(each) for each in pods)
    expected = _expected(api, pods)
    if "maxUnavailable" in spec:
        return healthy, expected - min(expected, resolve(spec["maxUnavailable"], expected, round_up=True)), expected
    least = spec.get("minAvailable", 1)
    if isinstance(least, int):
        return healthy, least, len(pods)
    return healthy, resolve(least, expected, round_up=True), expected


def _expected(api: Api, pods: list[Object]) -> int:
    """Count the replicas that the pods' controllers want; a pod without one counts for itself."""
    wanted: dict[str, int] = {}
    for pod in pods:
        owner = controller_of(pod)
        found = api.store.by_uid(owner["uid"]) if owner else None
        if owner and found:
            wanted[owner["uid"]] = int(value_at(found[1], ("spec", "replicas")) or 0)
        else:
            wanted[pod["metadata"]["uid"]] = 1
    return sum(wanted.values())
