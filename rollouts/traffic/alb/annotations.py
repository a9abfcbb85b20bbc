"""Which annotations tell the AWS Load Balancer Controller who gets which traffic?

Their values are JSON. One that says the same in other words stays as it is. One more annotation, which Argo Rollouts
writes, too, lists those that each Rollout has set: several may share an Ingress.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rollouts.api.canary import HeaderRoutingMatch, StringMatch
from rollouts.api.traffic import AlbTrafficRouting
from rollouts.ports import Destination, Route
from rollouts.ports.router import Raw

PREFIX = "alb.ingress.kubernetes.io"
MANAGED = "rollouts.argoproj.io/managed-alb-annotations"

Changes = dict[str, str | None]


def action_of(spec: AlbTrafficRouting, name: str) -> str:
    """Return the key of an action: what happens to requests whose backend has this name."""
    return f"{spec.annotation_prefix or PREFIX}/actions.{name}"


def conditions_of(spec: AlbTrafficRouting, name: str) -> str:
    """Return the key of the further conditions of an action."""
    return f"{spec.annotation_prefix or PREFIX}/conditions.{name}"


def set_by(raw: Raw, rollout: str) -> frozenset[str]:
    """Return the keys that a Rollout has set."""
    return frozenset(_all_set(raw).get(rollout, ()))


def others_with(raw: Raw, rollout: str, key: str) -> list[str]:
    """Return the other Rollouts that have set a key."""
    return sorted(name for name, keys in _all_set(raw).items() if name != rollout and key in keys)


def changes(spec: AlbTrafficRouting, rollout: str, root: str, route: Route, raw: Raw) -> Changes:
    """Return what is to be merged into the annotations: nothing where they say it already."""
    now: Mapping[str, str] = raw["metadata"].get("annotations") or {}
    wanted = dict(_wanted(spec, root, route))
    found: Changes = {key: _text(value) for key, value in wanted.items() if not _is_same(_read(now.get(key)), value)}
    found |= {key: None for key in set_by(raw, rollout) if key not in wanted and key in now}
    if set_by(raw, rollout) != wanted.keys():
        found[MANAGED] = _text({**_all_set(raw), rollout: sorted(wanted)})
    return found


def left(spec: AlbTrafficRouting, rollout: str, root: str, route: Route, raw: Raw) -> Changes:
    """Return what is to be merged into the annotations to leave stable alone in them, and nothing of the Rollout.

    The action itself stays: an Ingress with a backend by annotation doesn't work without it.
    """
    mine = set_by(raw, rollout)
    if not mine:
        return {}
    now: Mapping[str, str] = raw["metadata"].get("annotations") or {}
    action = action_of(spec, root)
    found: Changes = {key: None for key in mine if key != action and key in now}
    if action in mine:
        found[action] = _text(_forward([_group(spec, route.stable)], None))
    others = {name: keys for name, keys in _all_set(raw).items() if name != rollout}
    found[MANAGED] = _text(others) if others else None
    return found


def _wanted(spec: AlbTrafficRouting, root: str, route: Route) -> Iterator[tuple[str, Any]]:
    groups = [_group(spec, each) for each in (route.canary, *route.additional, route.stable)]
    sticky = spec.stickiness_config
    stickiness = {"Enabled": True, "DurationSeconds": sticky.duration_seconds} if sticky and sticky.enabled else None
    yield action_of(spec, root), _forward(groups, stickiness)
    for header in route.headers:
        if header.name:
            yield action_of(spec, header.name), _forward([{**_group(spec, route.canary), "Weight": 100}], None)
            yield conditions_of(spec, header.name), _conditions(header.match)


def _forward(groups: Sequence[Raw], stickiness: Raw | None) -> Raw:
    config: Raw = {"TargetGroups": groups}
    return {
        "Type": "forward",
        "ForwardConfig": {**config, "TargetGroupStickinessConfig": stickiness} if stickiness else config,
    }


def _group(spec: AlbTrafficRouting, end: Destination) -> dict[str, Any]:
    return {"ServiceName": end.service, "ServicePort": str(spec.service_port), "Weight": end.weight}


def _conditions(match: Iterable[HeaderRoutingMatch]) -> list[Raw]:
    """Return the conditions of a header route: all of them have to hold."""
    return [_condition(*compared) for each in match for compared in each.compared]


def _condition(kind: str, name: str, value: StringMatch) -> Raw:
    if kind == "queryParam":
        pairs = [{"Key": name, "Value": value.exact or ""}]
        return {"Field": "query-string", "QueryStringConfig": {"Values": pairs}}
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": [value.exact or ""]}}


def _is_same(now: Any, wanted: Any) -> bool:
    """Tell whether two values say the same; in which order target groups stand makes no difference."""
    return bool(_in_order(now) == _in_order(wanted))


def _in_order(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _in_order(each) for key, each in value.items()}
    return sorted(map(_in_order, value), key=json.dumps) if isinstance(value, list) else value


def _all_set(raw: Raw) -> dict[str, list[str]]:
    """Return the keys that each Rollout has set; what can't be read says nothing."""
    found = _read(((raw.get("metadata") or {}).get("annotations") or {}).get(MANAGED))
    every = found.items() if isinstance(found, dict) else ()
    return {name: [str(key) for key in keys] for name, keys in every if isinstance(keys, list)}


def _read(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return None


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
