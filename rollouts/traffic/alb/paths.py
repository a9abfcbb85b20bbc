"""Which paths does an Ingress need for header routes?

A header route is a backend of its own, whose annotations say more. It has the paths of the backend whose traffic is
shared, so that it takes no request that the Rollout wouldn't have got anyway; each stands right before the one that it
is like, because the first that fits counts.
"""

from collections.abc import Collection, Sequence

from rollouts.ports.router import Raw

USE_ANNOTATION = "use-annotation"


def rules_of(raw: Raw) -> list[Raw]:
    """Return the rules of an Ingress."""
    rules: list[Raw] = (raw.get("spec") or {}).get("rules") or []
    return rules


def leads_to(path: Raw, names: Collection[str]) -> bool:
    """Tell whether a path leads to an action with one of these names, as annotations tell it."""
    service = path["backend"].get("service") or {}
    return service.get("name") in names and (service.get("port") or {}).get("name") == USE_ANNOTATION


def paths_of(rule: Raw) -> list[Raw]:
    """Return the paths of a rule, which may have none."""
    paths: list[Raw] = (rule.get("http") or {}).get("paths") or []
    return paths


def with_routes(raw: Raw, root: str, routes: Sequence[str], managed: Collection[str]) -> list[Raw]:
    """Return the rules of an Ingress with paths for header routes, and without those of other `managed` ones."""
    return [_with_routes(rule, root, routes, managed) if paths_of(rule) else rule for rule in rules_of(raw)]


def _with_routes(rule: Raw, root: str, routes: Sequence[str], managed: Collection[str]) -> Raw:
    paths: list[Raw] = []
    for path in paths_of(rule):
        if leads_to(path, managed):
            continue
        if leads_to(path, (root,)):
            paths += [_towards(path, name) for name in routes]
        paths.append(path)
    return {**rule, "http": {**rule["http"], "paths": paths}}


def _towards(path: Raw, name: str) -> Raw:
    return {**path, "backend": {"service": {"name": name, "port": {"name": USE_ANNOTATION}}}}
