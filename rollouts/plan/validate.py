"""Can this Rollout be carried out at all? Every problem names its field, its value and the way out.

The controller shows the first problem as an InvalidSpec condition, `rollouts lint` shows all of them.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from rollouts.api import keys
from rollouts.api.bluegreen import BlueGreenStrategy
from rollouts.api.canary import CanaryStep, CanaryStrategy, ReplicaProgressThreshold
from rollouts.api.intorstring import percentage, validate_int_or_percent
from rollouts.api.meta import Metadata
from rollouts.api.placement import AntiAffinity
from rollouts.api.rollout import Rollout
from rollouts.api.selectors import selector_matches
from rollouts.api.traffic import TrafficRouting
from rollouts.plan.analysis.templates import Find
from rollouts.plan.bound import StepError, bind
from rollouts.plan.children.analyses.problems import analyses_problems
from rollouts.plan.children.experiments.problems import experiments_problems
from rollouts.plan.problem import Problem
from rollouts.plan.validate_mirror import mirror_problems
from rollouts.plan.validate_roles import anti_affinity_problems, metadata_problems
from rollouts.plan.validate_routed import routed_problems
from rollouts.plan.validate_template import shape_problems
from rollouts.plan.wishes import MAX_WEIGHT
from rollouts.plan.workload import meant_spec, reference_problems
from rollouts.ports import Kit, Objects

Raw = Mapping[str, Any]
Services = Mapping[str, Raw | None]

# A ReplicaSet is named after its Rollout, with a dash and a hash of up to ten characters.
MAX_NAME_LENGTH = 253 - 11
CANARY = "spec.strategy.canary"
BLUE_GREEN = "spec.strategy.blueGreen"
_KNATIVE = ".knative.dev/"
_OWN = "use a Service of your own"
_WAY_OUT = f"use a Service of your own, or take its annotation {keys.MANAGED_BY} off if that Rollout is gone"
_BLUE_GREEN_COUNTS = (
    "previewReplicaCount", "autoPromotionSeconds", "scaleDownDelaySeconds", "scaleDownDelayRevisionLimit",
    "abortScaleDownDelaySeconds",
)  # fmt: skip


def invalid_message(name: str, problem: Problem) -> str:
    """Return the message of the InvalidSpec condition."""
    return f'The Rollout "{name}" is invalid: {problem}'


def problems(
    rollout: Rollout,
    raw: Raw,
    kit: Kit,
    services: Services | None = None,
    rivals: Mapping[str, str] = MappingProxyType({}),
    *,
    objects: Objects | None = None,
    workload: Raw | None = None,
    templates: Find | None = None,
) -> Iterator[Problem]:
    """Yield every problem of a Rollout, in the order of its fields.

    `services` holds the Services that the spec names, None for one that doesn't exist, `objects` what routers read;
    without them references aren't checked. `rivals` names, by Service, another Rollout that uses it and was there
    first. `workload` is the object that spec.workloadRef names, None if it doesn't exist. `templates` finds those of
    analyses; without it analyses aren't checked.
    """
    if len(raw["metadata"].get("name", "")) > MAX_NAME_LENGTH:
        yield Problem(
            "metadata.name", f"must have at most {MAX_NAME_LENGTH} characters: ReplicaSets are named after it"
        )
    yield from _numbers(rollout)
    if raw["spec"].get("workloadRef") is not None:
        yield from reference_problems(raw["spec"], workload, is_looked_up=services is not None)
        raw = {**raw, "spec": meant_spec(raw["spec"], workload)}
    if misshapen := [*shape_problems(raw["spec"].get("template") or {})]:
        yield from misshapen
        return  # nothing else can be told of such a template
    if _has_template(raw["spec"]):
        yield from _pods(raw["spec"])
    yield from _strategy(rollout, raw["spec"], kit)
    yield from _routed(rollout, raw, kit, objects)
    if templates is not None:
        yield from analyses_problems(raw, kit, templates)
        yield from experiments_problems(raw, kit, templates)
    if services is not None:
        for path, name in _named_services(rollout):
            yield from _service(path, name, services.get(name), raw, rivals.get(name))


def _numbers(rollout: Rollout) -> Iterator[Problem]:
    spec = rollout.spec
    counts = {
        "replicas": spec.replicas,
        "minReadySeconds": spec.min_ready_seconds,
        "revisionHistoryLimit": spec.revision_history_limit,
        "progressDeadlineSeconds": spec.progress_deadline_seconds,
    }
    for name, value in counts.items():
        if value is not None and value < 0:
            yield Problem(f"spec.{name}", f"{value} is negative: must be 0 or more")
    deadline = spec.progress_deadline_seconds_or_default
    if 0 <= deadline <= spec.min_ready_seconds_or_default:
        yield Problem(
            "spec.progressDeadlineSeconds",
            f"{deadline} must be greater than minReadySeconds ({spec.min_ready_seconds_or_default})",
        )


def _has_template(spec: Raw) -> bool:
    """Whether the template is there to be checked: one that is elsewhere may be out of sight."""
    return spec.get("workloadRef") is None or bool(spec.get("template"))


def _pods(spec: Raw) -> Iterator[Problem]:
    selector, template = spec.get("selector") or {}, spec.get("template") or {}
    has_selector = bool(selector.get("matchLabels") or selector.get("matchExpressions"))
    if not has_selector:
        yield Problem("spec.selector", "is missing or empty: name the labels that the template's pods carry")
    if not template:
        yield Problem("spec.template", "is missing: write down what the pods look like, or refer to it by workloadRef")
    if not has_selector or not template:
        return
    yield from _template(template)
    labels = (template.get("metadata") or {}).get("labels") or {}
    try:
        matches = selector_matches(selector, labels)
    except ValueError as error:
        yield Problem("spec.selector", str(error))
        return
    if not matches:
        yield Problem("spec.template.metadata.labels", f"{dict(labels)} don't match spec.selector {dict(selector)}")
    elif not selector_matches(selector, {**labels, keys.POD_TEMPLATE_HASH: "any"}):
        # We would release each ReplicaSet that we create, and create another one, without end.
        yield Problem(
            "spec.selector",
            f"{dict(selector)} is about {keys.POD_TEMPLATE_HASH}, which has another value in each ReplicaSet:"
            " select other labels",
        )


def _template(template: Raw) -> Iterator[Problem]:
    """Yield what every API server refuses in a ReplicaSet's pods; for the rest ask the one at hand."""
    spec = template.get("spec") or {}
    if not spec.get("containers"):
        yield Problem("spec.template.spec.containers", "is missing or empty: a pod has at least one container")
    policy = spec.get("restartPolicy") or "Always"
    if policy != "Always":
        yield Problem("spec.template.spec.restartPolicy", f'"{policy}" does not suit a ReplicaSet: it must be Always')


def _strategy(rollout: Rollout, spec: Raw, kit: Kit) -> Iterator[Problem]:
    strategy = rollout.spec.strategy
    canary = strategy.canary if strategy else None
    blue_green = strategy.blue_green if strategy else None
    if canary is not None and blue_green is not None:
        yield Problem("spec.strategy", "has both canary and blueGreen: keep one of them")
    elif blue_green is not None:
        yield from _blue_green(rollout, blue_green, spec["strategy"]["blueGreen"])
        metadata = {"previewMetadata": blue_green.preview_metadata, "activeMetadata": blue_green.active_metadata}
        yield from _roles(BLUE_GREEN, metadata, blue_green.anti_affinity, spec)
    elif canary is None:
        yield Problem(
            "spec.strategy",
            "names no strategy: set canary or blueGreen (`canary: {}` at least: a bare `canary:` is dropped)",
        )
    else:
        yield from _canary(canary, spec["strategy"]["canary"] or {}, kit)
        metadata = {"canaryMetadata": canary.canary_metadata, "stableMetadata": canary.stable_metadata}
        yield from _roles(CANARY, metadata, canary.anti_affinity, spec)


def _routed(rollout: Rollout, raw: Raw, kit: Kit, objects: Objects | None) -> Iterator[Problem]:
    strategy = rollout.spec.strategy
    if strategy is None:
        return
    if strategy.canary is not None:
        for below, message in routed_problems(strategy.canary, raw["metadata"], kit, objects):
            yield Problem(f"{CANARY}.{below}", message)
    elif strategy.blue_green is not None:
        for below, message in mirror_problems(strategy.blue_green, raw, kit, objects):
            yield Problem(f"{BLUE_GREEN}.{below}", message)


def _roles(
    path: str, metadata: Mapping[str, Metadata | None], anti_affinity: AntiAffinity | None, spec: Raw
) -> Iterator[Problem]:
    for below, message in (*metadata_problems(metadata, spec), *anti_affinity_problems(anti_affinity)):
        yield Problem(f"{path}.{below}", message)


def _blue_green(rollout: Rollout, blue_green: BlueGreenStrategy, raw: Raw) -> Iterator[Problem]:
    active, limit = blue_green.active_service, blue_green.scale_down_delay_revision_limit
    if not active:
        yield Problem(f"{BLUE_GREEN}.activeService", "is empty: name the Service that clients use")
    elif active == blue_green.preview_service:
        yield Problem(
            f"{BLUE_GREEN}.previewService", f'"{active}" is the activeService, too: name two Services, or only one'
        )
    for name in _BLUE_GREEN_COUNTS:
        value = raw.get(name)
        if isinstance(value, int) and value < 0:
            yield Problem(f"{BLUE_GREEN}.{name}", f"{value} is negative: must be 0 or more")
    history = rollout.spec.revision_history_limit_or_default
    if limit is not None and limit > history >= 0:
        yield Problem(
            f"{BLUE_GREEN}.scaleDownDelayRevisionLimit",
            f"{limit} is more than revisionHistoryLimit ({history}): so many old ReplicaSets aren't kept",
        )
    if blue_green.max_unavailable is not None:
        error = validate_int_or_percent(blue_green.max_unavailable, at_most_100=True)
        if error:
            yield Problem(f"{BLUE_GREEN}.maxUnavailable", error)


def _canary(canary: CanaryStrategy, raw: Raw, kit: Kit) -> Iterator[Problem]:
    if canary.canary_service and canary.canary_service == canary.stable_service:
        yield Problem(
            f"{CANARY}.stableService", f'"{canary.stable_service}" is the canaryService, too: name two Services'
        )
    yield from _bounds(canary)
    yield from _threshold(canary.replica_progress_threshold)
    for index, step in enumerate(canary.steps or ()):
        written = (raw.get("steps") or ())[index]
        yield from _step(f"{CANARY}.steps[{index}]", step, list(written), kit, canary.traffic_routing)


def _bounds(canary: CanaryStrategy) -> Iterator[Problem]:
    bounds = {"maxSurge": canary.max_surge, "maxUnavailable": canary.max_unavailable}
    is_sound = True
    for name, value in bounds.items():
        if value is None:
            continue
        error = validate_int_or_percent(value, at_most_100=name == "maxUnavailable")
        if error:
            is_sound = False
            yield Problem(f"{CANARY}.{name}", error)
    if is_sound and all(value is not None and _is_zero(value) for value in bounds.values()):
        yield Problem(f"{CANARY}.maxSurge", "and maxUnavailable are both 0: no pod could ever be replaced; raise one")


def _threshold(threshold: ReplicaProgressThreshold | None) -> Iterator[Problem]:
    if threshold is None:
        return
    path = f"{CANARY}.replicaProgressThreshold"
    if threshold.type not in {"Percent", "Pods"}:
        yield Problem(f"{path}.type", f'"{threshold.type}" is neither Percent nor Pods')
    elif threshold.value < 1:
        yield Problem(
            f"{path}.value", f"{threshold.value} would go on without a single available pod: must be 1 or more"
        )
    elif threshold.type == "Percent" and threshold.value > 100:
        yield Problem(f"{path}.value", f"{threshold.value} percent can never be available: must be 100 or less")


def _is_zero(value: int | str) -> bool:
    return value == 0 if isinstance(value, int) else percentage(value) == 0


def _step(
    path: str, written_step: CanaryStep, written: list[str], kit: Kit, routing: TrafficRouting | None
) -> Iterator[Problem]:
    actions = written_step.actions
    if len(actions) != 1:
        names = ", ".join(written) or "none (a misspelt key is dropped, and so is a bare `pause:`: write `pause: {}`)"
        hint = ", which no step is called" if written and not actions else ""
        known = ", ".join(sorted(kit.steps))
        yield Problem(path, f"must have exactly one action, has {names}{hint}; known are {known}")
        return
    try:
        step = bind(written_step, kit)
    except StepError as error:
        yield Problem(f"{path}.{error.path}", str(error))
        return
    max_weight = routing.max_traffic_weight_or_default if routing else MAX_WEIGHT
    for below, message in step.plugin.problems(step.spec, max_weight=max_weight, routed=routing is not None):
        yield Problem(f"{path}.{step.path}.{below}" if below else f"{path}.{step.path}", message)


def _named_services(rollout: Rollout) -> Iterator[tuple[str, str]]:
    """Yield (path, name) for each Service that the spec names."""
    strategy = rollout.spec.strategy
    canary, blue_green = (strategy.canary, strategy.blue_green) if strategy else (None, None)
    named: dict[str, str | None] = {}
    if canary is not None:
        named[f"{CANARY}.canaryService"] = canary.canary_service
        named[f"{CANARY}.stableService"] = canary.stable_service
        if canary.ping_pong is not None:
            named[f"{CANARY}.pingPong.pingService"] = canary.ping_pong.ping_service
            named[f"{CANARY}.pingPong.pongService"] = canary.ping_pong.pong_service
    if blue_green is not None:
        named[f"{BLUE_GREEN}.activeService"] = blue_green.active_service
        named[f"{BLUE_GREEN}.previewService"] = blue_green.preview_service
    for path, name in named.items():
        if name:
            yield path, name


def _service(path: str, name: str, service: Raw | None, raw: Raw, rival: str | None) -> Iterator[Problem]:
    if service is None:
        yield Problem(path, f'Service "{name}" does not exist: create it, or correct the name')
        return
    owners = service["metadata"].get("ownerReferences") or ()
    if any(_KNATIVE in each.get("apiVersion", "") for each in owners):
        yield Problem(path, f'Service "{name}" leads to revisions of Knative, and to no pods of a Rollout: {_OWN}')
    owner = (service["metadata"].get("annotations") or {}).get(keys.MANAGED_BY)
    if owner and owner != raw["metadata"]["name"]:
        yield Problem(path, f'Service "{name}" is managed by another Rollout, "{owner}": {_WAY_OUT}')
    elif not owner and rival:
        yield Problem(path, f'Service "{name}" is used by another Rollout, "{rival}": use a Service of your own')
    labels = ((raw["spec"].get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not _has_template(raw["spec"]):
        return
    for key, value in ((service.get("spec") or {}).get("selector") or {}).items():
        if key != keys.POD_TEMPLATE_HASH and labels.get(key) != value:
            yield Problem(path, f"Service \"{name}\" selects {key}={value}, which the template's labels don't carry")
