"""Which settings of the Gateway API can't work, and what do the routes lack?"""

from collections.abc import Collection, Iterator, Sequence

from rollouts.api.gateway_api import GatewayApiTrafficRouting, GatewayRoute
from rollouts.api.selectors import is_label_key, is_label_value, read_selector
from rollouts.ports import Objects, Owner, Reference, Selected
from rollouts.ports.router import Raw
from rollouts.traffic.additions import added_by
from rollouts.traffic.gateway_api.affinity import has_foreign_cookie
from rollouts.traffic.gateway_api.backends import Backends
from rollouts.traffic.gateway_api.marks import ADDED
from rollouts.traffic.gateway_api.matches import matches_of
from rollouts.traffic.gateway_api.rules import Rules
from rollouts.traffic.gateway_api.sessions import FIELD
from rollouts.traffic.gateway_api.targets import HTTP, Found, Target, entries, find, targets

Problem = tuple[str, str]

_MOST_RULES, _RULES_FOR_AFFINITY = 16, 3
_MOST_MATCHES, _MOST_BACKENDS = 128, 16


def problems(spec: GatewayApiTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[Problem]:
    """Yield each problem by the path of its entry."""
    if not any(True for _ in entries(spec)):
        yield "", "names no route: list some in httpRoutes, grpcRoutes, tcpRoutes or tlsRoutes"
    if owner.canary_service and owner.canary_service == owner.stable_service:
        yield "", f'canaryService and stableService are both "{owner.canary_service}": name two Services'
    if owner.has_affinity and not spec.http_routes:
        yield "", "has no HTTPRoute, which sessionAffinity needs: list one in httpRoutes, or remove sessionAffinity"
    yield from _label(spec)
    for _, path, route in entries(spec):
        yield from _entry(path, route)
    named = targets(spec, owner)
    yield from _doubles(named)
    if objects is not None:
        for target in named:
            yield from _live(target, owner, objects)


def _label(spec: GatewayApiTrafficRouting) -> Iterator[Problem]:
    key, value = spec.in_progress_label_key, spec.in_progress_label_value
    if key and not is_label_key(key):
        yield "inProgressLabelKey", f'"{key}" is no key of a label'
    if value and not is_label_value(value):
        yield "inProgressLabelValue", f'"{value}" is no value of a label'


def _entry(path: str, route: GatewayRoute) -> Iterator[Problem]:
    if bool(route.name) == (route.selector is not None):
        yield path, "must name one route, or select some by a selector: set one of the two"
    if route.selector is not None:
        try:
            read_selector(route.selector)
        except ValueError as error:
            yield f"{path}.selector", str(error)


def _doubles(named: tuple[Target, ...]) -> Iterator[Problem]:
    first: dict[Reference, Target] = {}
    for target in named:
        if isinstance(target.read, Reference) and (known := first.setdefault(target.read, target)) is not target:
            yield target.path, f"{target.read} is {known.path}, too: list it once, with all its rules"


def _live(target: Target, owner: Owner, objects: Objects) -> Iterator[Problem]:
    """Yield what is wrong with the routes that an entry means."""
    routes = find((target,), objects)
    if not routes:
        where = f"in namespace {target.read.namespace}"
        if isinstance(target.read, Selected):
            yield target.path, f"no {target.read.kind} {where} has the labels {target.read.selector}: label a route"
        else:
            yield target.path, f"{target.read} doesn't exist {where}: create it"
    for found in routes:
        yield from ((target.path, message) for message in _rules(found, owner))


def _rules(found: Found, owner: Owner) -> Iterator[str]:
    if not owner.stable_service:
        return  # of a ping-pong pair either may be the stable one
    added = added_by(found.raw, ADDED, owner.rollout)
    rules = Rules(found, owner, added)
    shared = rules.shared(owner.canary_service, owner.stable_service)
    weighed = {rules.others[index].get("name") for index in shared}
    known = {each.get("name") for each in rules.others}
    for name in found.target.rules:
        if name not in known:
            yield f'{found.reference} has no rule named "{name}": {_names(known)}'
        elif name not in weighed:
            yield f'rule "{name}" of {found.reference} doesn\'t name the Service {owner.stable_service} as a backend'
    if not shared and not found.target.rules:
        yield f"no rule of {found.reference} has the stable Service {owner.stable_service} as a backend: add it to one"
    yield from _backends(found, owner, added.backends, [rules.others[index] for index in shared])
    if owner.managed_routes and found.target.uses_headers:
        yield from _managed(found, rules, shared)
    if owner.has_affinity and found.reference.kind == HTTP:
        yield from _affinity(found, [rules.others[index] for index in shared])
        yield from _one_session(found, shared) if owner.has_sessions else _cookies(found, owner, rules, shared)


def _backends(found: Found, owner: Owner, added: Collection[str], shared: Sequence[Raw]) -> Iterator[str]:
    """Yield which rules have no room for the canary."""
    for rule in shared:
        every = Backends(found.reference.namespace, owner.namespace).services(rule)
        services = [each for each in every if each not in added]
        if owner.canary_service not in services and len(services) >= _MOST_BACKENDS:
            yield (
                f"{_called(rule)} of {found.reference} has {len(services)} backends and can have {_MOST_BACKENDS}, so"
                f" that there is no room for {owner.canary_service}: remove a backend there"
            )


def _managed(found: Found, rules: Rules, shared: Sequence[int]) -> Iterator[str]:
    """Yield what is in the way of even one managed route: which of them are in force at once, only the steps know."""
    if (needed := len(rules.others) + len(shared)) > _MOST_RULES:
        yield (
            f"{found.reference} would need {needed} rules for one of managedRoutes, and can have {_MOST_RULES}: name"
            " fewer in rules, or share them out to several routes"
        )
    matches = [len(matches_of(each, found.reference.kind)) for each in rules.others]
    if (needed := sum(matches) + sum(matches[index] for index in shared)) > _MOST_MATCHES:
        yield (
            f"{found.reference} would need {needed} matches in all its rules for one of managedRoutes, and can have"
            f" {_MOST_MATCHES}: name fewer in rules, or share them out to several routes"
        )


def _affinity(found: Found, shared: Sequence[Raw]) -> Iterator[str]:
    """Yield what is in the way of session affinity, however clients are kept."""
    for rule in shared:
        if FIELD in rule:
            yield (
                f"{_called(rule)} of {found.reference} has sessionPersistence, which keeps clients at their pod"
                " whatever the weights say: remove it there, or remove sessionAffinity"
            )


def _one_session(found: Found, shared: Sequence[int]) -> Iterator[str]:
    """Yield what is in the way of a session: each rule would have its own, and a client be on both sides."""
    if len(shared) > 1:
        yield (
            f"{found.reference} shares out {len(shared)} rules, and a session is kept for one: name one in rules, or"
            " remove sessionPersistence of sessionAffinity"
        )


def _cookies(found: Found, owner: Owner, rules: Rules, shared: Sequence[int]) -> Iterator[str]:
    """Yield what is in the way of cookies."""
    for rule in (rules.others[index] for index in shared):
        if has_foreign_cookie(rule, owner.rollout):
            yield (
                f"{_called(rule)} of {found.reference} has a backend that adds a Set-Cookie header, and can't add a"
                " second one: remove it there, or remove sessionAffinity"
            )
    if (needed := len(rules.others) + _RULES_FOR_AFFINITY * len(shared)) > _MOST_RULES:
        yield (
            f"{found.reference} would need {needed} rules for sessionAffinity, and can have {_MOST_RULES}: name fewer"
            " in rules, or share them out to several routes"
        )


def _called(rule: Raw) -> str:
    return f'rule "{rule["name"]}"' if "name" in rule else "a rule"


def _names(known: set[str | None]) -> str:
    names = ", ".join(sorted(each for each in known if each))
    return f"there are {names}" if names else "none of its rules has a name"
