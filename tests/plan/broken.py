"""Which Rollouts can't be carried out, and which one sentence says why? By a name for each case."""

from typing import Any

from tests.plan.given import Raw, rollout, service

KNOWN = "analysis, experiment, pause, setCanaryScale, setHeaderRoute, setMirrorRoute, setWeight"
CANARY = "spec.strategy.canary"
BLUE_GREEN = "spec.strategy.blueGreen"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
KEY_RULE = (
    "a key is a name of up to 63 letters, digits, '-', '_' and '.', with or without a domain in lower case and a slash"
    " before it"
)


def step(*steps: Any) -> Raw:
    return rollout(steps=list(steps))


def _named(name: str) -> Raw:
    return rollout(name=name)


def _with_both() -> Raw:
    raw = rollout()
    raw["spec"]["strategy"]["blueGreen"] = {"activeService": "a"}
    return raw


def _with_a_hash_in_its_selector() -> Raw:
    """Return a Rollout as somebody makes it from a running ReplicaSet."""
    labels = {"app": "web", "rollouts-pod-template-hash": "abc"}
    raw = rollout(selector={"matchLabels": labels})
    raw["spec"]["template"]["metadata"]["labels"] = labels
    return raw


def _threshold(kind: str, value: int) -> Raw:
    return rollout(canary={"replicaProgressThreshold": {"type": kind, "value": value}})


def _without_template() -> Raw:
    raw = rollout()
    del raw["spec"]["template"]
    return raw


def _pods(**spec: Any) -> Raw:
    """Return a Rollout whose pod template has this spec."""
    raw = rollout()
    raw["spec"]["template"]["spec"] = spec
    return raw


def _with_labels(labels: Any) -> Raw:
    raw = rollout()
    raw["spec"]["template"]["metadata"]["labels"] = labels
    return raw


def _selecting(**requirement: Any) -> Raw:
    return rollout(selector={"matchExpressions": [{"key": "app", **requirement}]})


def _two_stacks(*, limit: int | None = None, **strategy: Any) -> Raw:
    return rollout(strategy={"blueGreen": {"activeService": "s", **strategy}}, revisionHistoryLimit=limit)


def _referring(**reference: Any) -> Raw:
    """Return a Rollout that takes its template from a Deployment."""
    raw = rollout()
    del raw["spec"]["template"]
    return {**raw, "spec": {**raw["spec"], "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment"} | reference}}


def _with_two_templates() -> Raw:
    raw = _referring(name="old")
    return {**raw, "spec": {**raw["spec"], "template": rollout()["spec"]["template"]}}


BROKEN: dict[str, tuple[Raw, str]] = {
    "a workload of another kind": (
        _referring(kind="DaemonSet", name="old"),
        (
            'spec.workloadRef.kind: "DaemonSet" of apiVersion "apps/v1" can\'t be referred to:'
            " write Deployment or ReplicaSet of apps/v1, or PodTemplate of v1"
        ),
    ),
    "a workload without a name": (
        _referring(),
        "spec.workloadRef.name: is missing: name the Deployment that holds the pod template",
    ),
    "a template beside a workload's": (
        _with_two_templates(),
        'spec.template: must be left out: spec.workloadRef takes it from Deployment "old"; keep one',
    ),
    "an unknown way of scaling down": (
        _referring(name="old", scaleDown="onSuccess"),
        'spec.workloadRef.scaleDown: "onSuccess" is unknown: write never, onsuccess or progressively',
    ),
    "a workload that doesn't exist": (
        _referring(name="old"),
        'spec.workloadRef.name: Deployment "old" does not exist: create it, or correct the name',
    ),
    "an affinity that is none": (
        _pods(containers=[{}], affinity="zone"),
        "spec.template.spec.affinity: is 'zone': it must be a mapping of names to values, or be left out",
    ),
    "an anti-affinity that is none": (
        _pods(containers=[{}], affinity={"podAntiAffinity": ["zone"]}),
        (
            "spec.template.spec.affinity.podAntiAffinity: is ['zone']: it must be a mapping of names to values, or be"
            " left out"
        ),
    ),
    "labels that are none": (
        _with_labels(["app=web"]),
        "spec.template.metadata.labels: is ['app=web']: it must be a mapping of names to values, or be left out",
    ),
    "metadata that is none": (
        rollout(template={"metadata": "x" * 99, "spec": {}}),
        f"spec.template.metadata: is '{'x' * 39}...: it must be a mapping of names to values, or be left out",
    ),
    "a threshold of an unknown type": (
        _threshold("Half", 50),
        f'{CANARY}.replicaProgressThreshold.type: "Half" is neither Percent nor Pods',
    ),
    "a threshold of nothing": (
        _threshold("Pods", 0),
        (f"{CANARY}.replicaProgressThreshold.value: 0 would go on without a single available pod: must be 1 or more"),
    ),
    "a threshold of too much": (
        _threshold("Percent", 101),
        f"{CANARY}.replicaProgressThreshold.value: 101 percent can never be available: must be 100 or less",
    ),
    "both strategies": (_with_both(), "spec.strategy: has both canary and blueGreen: keep one of them"),
    "no strategy": (
        rollout(strategy={}),
        (
            "spec.strategy: names no strategy: set canary or blueGreen"
            " (`canary: {}` at least: a bare `canary:` is dropped)"
        ),
    ),
    "no selector": (
        rollout(selector={}),
        "spec.selector: is missing or empty: name the labels that the template's pods carry",
    ),
    "a selector that doesn't match": (
        rollout(selector={"matchLabels": {"app": "shop"}}),
        "spec.template.metadata.labels: {'app': 'web'} don't match spec.selector {'matchLabels': {'app': 'shop'}}",
    ),
    "a selector that no ReplicaSet of ours can match": (
        _with_a_hash_in_its_selector(),
        (
            "spec.selector: {'matchLabels': {'app': 'web', 'rollouts-pod-template-hash': 'abc'}} is about"
            " rollouts-pod-template-hash, which has another value in each ReplicaSet: select other labels"
        ),
    ),
    "negative replicas": (rollout(replicas=-1), "spec.replicas: -1 is negative: must be 0 or more"),
    "negative minReadySeconds": (
        rollout(minReadySeconds=-1),
        "spec.minReadySeconds: -1 is negative: must be 0 or more",
    ),
    "negative history": (
        rollout(revisionHistoryLimit=-1),
        "spec.revisionHistoryLimit: -1 is negative: must be 0 or more",
    ),
    "a negative deadline": (
        rollout(progressDeadlineSeconds=-1),
        "spec.progressDeadlineSeconds: -1 is negative: must be 0 or more",
    ),
    "an operator that doesn't exist": (
        _selecting(operator="Is", values=["web"]),
        ("spec.selector: 'Is' is no operator of a label selector: write In, NotIn, Exists, DoesNotExist"),
    ),
    "an operator without its values": (
        _selecting(operator="In"),
        "spec.selector: the label selector's requirement on 'app' is invalid: In needs at least one value",
    ),
    "no template": (
        _without_template(),
        "spec.template: is missing: write down what the pods look like, or refer to it by workloadRef",
    ),
    "no containers": (
        _pods(),
        "spec.template.spec.containers: is missing or empty: a pod has at least one container",
    ),
    "pods that aren't restarted": (
        _pods(containers=[{"name": "app", "image": "app:1"}], restartPolicy="Never"),
        'spec.template.spec.restartPolicy: "Never" does not suit a ReplicaSet: it must be Always',
    ),
    "a delay without a router": (
        rollout(canary={"scaleDownDelaySeconds": 30}),
        f"{CANARY}.scaleDownDelaySeconds: needs trafficRouting: without a router pods and traffic are one",
    ),
    "a stable that shrinks without a router": (
        rollout(canary={"dynamicStableScale": True}),
        f"{CANARY}.dynamicStableScale: needs trafficRouting: without a router pods and traffic are one",
    ),
    "a deadline no later than minReadySeconds": (
        rollout(minReadySeconds=60, progressDeadlineSeconds=60),
        "spec.progressDeadlineSeconds: 60 must be greater than minReadySeconds (60)",
    ),
    "a surge that is no percentage": (
        rollout(canary={"maxSurge": "abc%"}),
        f"{CANARY}.maxSurge: 'abc%' is no percentage: write a whole number of pods, or a percentage as in '25%'",
    ),
    "a negative surge": (rollout(canary={"maxSurge": -1}), f"{CANARY}.maxSurge: -1 is negative: write 0 or more"),
    "more than everything unavailable": (
        rollout(canary={"maxUnavailable": "101%"}),
        f"{CANARY}.maxUnavailable: '101%' is more than 100%: write at most '100%'",
    ),
    "neither surge nor unavailability": (
        rollout(canary={"maxSurge": "0%", "maxUnavailable": 0}),
        f"{CANARY}.maxSurge: and maxUnavailable are both 0: no pod could ever be replaced; raise one",
    ),
    "a weight above 100": (
        step({"setWeight": 140}),
        f"{CANARY}.steps[0].setWeight: 140 is out of range: a weight is a number from 0 to 100",
    ),
    "a weight below 0": (
        step({"setWeight": 20}, {"setWeight": -1}),
        f"{CANARY}.steps[1].setWeight: -1 is out of range: a weight is a number from 0 to 100",
    ),
    "a duration that doesn't parse": (
        step({"pause": {"duration": "5 minutes"}}),
        (
            f"{CANARY}.steps[0].pause.duration: '5 minutes' is no duration: unknown unit ' minutes'; write numbers "
            "with units h, m, s, ms, us or ns, for example 90s or 1h30m"
        ),
    ),
    "a negative duration": (
        step({"pause": {"duration": -5}}),
        f"{CANARY}.steps[0].pause.duration: -5 is negative: a pause lasts 0 seconds or longer",
    ),
    "a step with two actions": (
        step({"setWeight": 20, "pause": {}}),
        f"{CANARY}.steps[0]: must have exactly one action, has setWeight, pause; known are {KNOWN}",
    ),
    "a step without an action": (
        step({}),
        (
            f"{CANARY}.steps[0]: must have exactly one action, has none (a misspelt key is dropped, and so is a bare"
            f" `pause:`: write `pause: {{}}`); known are {KNOWN}"
        ),
    ),
    "an unknown step": (
        step({"setWieght": 20}),
        (f"{CANARY}.steps[0]: must have exactly one action, has setWieght, which no step is called; known are {KNOWN}"),
    ),
    "a role's label that tells ReplicaSets apart": (
        rollout(canary={"canaryMetadata": {"labels": {"rollouts-pod-template-hash": "x"}}}),
        (
            f'{CANARY}.canaryMetadata.labels: "rollouts-pod-template-hash" tells ReplicaSets apart and can\'t be set:'
            " choose another key"
        ),
    ),
    "a role's label that its selector needs": (
        rollout(canary={"stableMetadata": {"labels": {"app": "stable"}}}),
        (
            f"{CANARY}.stableMetadata.labels: {{'app': 'stable'}} would take pods out of spec.selector"
            " {'matchLabels': {'app': 'web'}}: set labels that it doesn't ask for"
        ),
    ),
    "a role's label that is none": (
        rollout(canary={"canaryMetadata": {"labels": {"a b": "x"}}}),
        f'{CANARY}.canaryMetadata.labels: "a b" is no label\'s key: {KEY_RULE}',
    ),
    "a role's label with a text": (
        rollout(canary={"canaryMetadata": {"labels": {"role": "the canary"}}}),
        (
            f'{CANARY}.canaryMetadata.labels: role: "the canary" is no label\'s value: up to 63 letters, digits, "-",'
            ' "_" and ".", with a letter or digit at both ends; put other texts into annotations'
        ),
    ),
    "a role's annotation that is none": (
        rollout(canary={"stableMetadata": {"annotations": {"Example.Test/ok": "x", "/": "x"}}}),
        f'{CANARY}.stableMetadata.annotations: "/" is no annotation\'s key: {KEY_RULE}',
    ),
    "a role's annotations that are too long": (
        rollout(canary={"stableMetadata": {"annotations": {"a": "x" * 262_144}}}),
        f"{CANARY}.stableMetadata.annotations: has more than 262144 bytes: shorten it",
    ),
    "an anti-affinity of both kinds": (
        rollout(canary={"antiAffinity": {REQUIRED: {}, PREFERRED: {"weight": 1}}}),
        f"{CANARY}.antiAffinity: has both {REQUIRED} and {PREFERRED}: keep one of them",
    ),
    "an anti-affinity of no kind": (
        rollout(canary={"antiAffinity": {}}),
        f"{CANARY}.antiAffinity: says nothing: set {REQUIRED} ({{}}) or {PREFERRED} (weight: 1 to 100)",
    ),
    "a weight out of range": (
        rollout(canary={"antiAffinity": {PREFERRED: {"weight": 101}}}),
        f"{CANARY}.antiAffinity.{PREFERRED}.weight: 101 is out of range: must be 1 to 100",
    ),
    "a Service for both roles": (
        rollout(canary={"canaryService": "s", "stableService": "s"}),
        f'{CANARY}.stableService: "s" is the canaryService, too: name two Services',
    ),
    "a Service that doesn't exist": (
        rollout(canary={"canaryService": "nowhere"}),
        f'{CANARY}.canaryService: Service "nowhere" does not exist: create it, or correct the name',
    ),
    "another Rollout's Service": (
        rollout(canary={"canaryService": "theirs"}),
        (
            f'{CANARY}.canaryService: Service "theirs" is managed by another Rollout, "shop": use a Service of your'
            " own, or take its annotation argo-rollouts.argoproj.io/managed-by-rollouts off if that Rollout is gone"
        ),
    ),
    "a Service of Knative's": (
        rollout(canary={"stableService": "function"}),
        (
            f'{CANARY}.stableService: Service "function" leads to revisions of Knative, and to no pods of a Rollout:'
            " use a Service of your own"
        ),
    ),
    "a Service that selects other pods": (
        rollout(canary={"stableService": "elsewhere"}),
        f"{CANARY}.stableService: Service \"elsewhere\" selects app=shop, which the template's labels don't carry",
    ),
    "blue-green without an active Service": (
        _two_stacks(activeService=""),
        f"{BLUE_GREEN}.activeService: is empty: name the Service that clients use",
    ),
    "one Service for active and preview": (
        _two_stacks(previewService="s"),
        f'{BLUE_GREEN}.previewService: "s" is the activeService, too: name two Services, or only one',
    ),
    "more delayed revisions than are kept": (
        _two_stacks(limit=2, scaleDownDelayRevisionLimit=3),
        (
            f"{BLUE_GREEN}.scaleDownDelayRevisionLimit: 3 is more than revisionHistoryLimit (2):"
            " so many old ReplicaSets aren't kept"
        ),
    ),
    "a preview of less than no pods": (
        _two_stacks(previewReplicaCount=-1),
        f"{BLUE_GREEN}.previewReplicaCount: -1 is negative: must be 0 or more",
    ),
    "a delay of less than no time": (
        _two_stacks(scaleDownDelaySeconds=-1),
        f"{BLUE_GREEN}.scaleDownDelaySeconds: -1 is negative: must be 0 or more",
    ),
    "more than everything unavailable while pods restart": (
        _two_stacks(maxUnavailable="101%"),
        f"{BLUE_GREEN}.maxUnavailable: '101%' is more than 100%: write at most '100%'",
    ),
    "an active Service that doesn't exist": (
        _two_stacks(activeService="nowhere"),
        f'{BLUE_GREEN}.activeService: Service "nowhere" does not exist: create it, or correct the name',
    ),
    "a preview Service that selects other pods": (
        _two_stacks(previewService="elsewhere"),
        f"{BLUE_GREEN}.previewService: Service \"elsewhere\" selects app=shop, which the template's labels don't carry",
    ),
    "a name too long for its ReplicaSets": (
        _named("w" * 253),
        "metadata.name: must have at most 242 characters: ReplicaSets are named after it",
    ),
}


def services() -> dict[str, Raw | None]:
    theirs = service("theirs", app="web")
    theirs["metadata"]["annotations"] = {"argo-rollouts.argoproj.io/managed-by-rollouts": "shop"}
    function = service("function")
    function["metadata"]["ownerReferences"] = [{"apiVersion": "serving.knative.dev/v1", "kind": "Route", "name": "web"}]
    return {
        "nowhere": None,
        "function": function,
        "theirs": theirs,
        "elsewhere": service("elsewhere", app="shop"),
        "s": service("s", app="web"),
    }
