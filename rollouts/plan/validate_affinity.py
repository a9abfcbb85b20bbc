"""What can't work about a canary's session affinity?"""

import re
from collections.abc import Iterator
from datetime import timedelta

from pydantic.alias_generators import to_camel

from rollouts.api.affinity import SessionAffinity
from rollouts.api.canary import CanaryStrategy
from rollouts.plan.traffic import configured
from rollouts.ports import Ability, Kit

_MOST = timedelta(days=400)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PATH = re.compile(r"/[!-:<-~]*")
_DOMAIN = re.compile(r"\.?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.IGNORECASE)
_PATH_OF_ALL = "/"


def affinity_problems(canary: CanaryStrategy, kit: Kit) -> Iterator[tuple[str, str]]:
    """Yield what is wrong: the path below the canary, and what is wrong with it."""
    routing = canary.traffic_routing
    if routing is None or routing.session_affinity is None:
        return
    for below, message in _cookie(routing.session_affinity):
        yield f"trafficRouting.sessionAffinity.{below}", message
    if routing.session_affinity.session_persistence:
        yield from _sessions(routing.session_affinity, canary, kit)
    able = sorted(key for key, router in kit.routers.items() if Ability.SESSION_AFFINITY in router.abilities)
    for key in configured(routing):
        if key in kit.routers and key not in able:
            others = f", or use one of those that can: {', '.join(able)}" if able else ""
            yield "trafficRouting.sessionAffinity", f"{key} can't keep clients by a cookie: remove it{others}"


def _cookie(affinity: SessionAffinity) -> Iterator[tuple[str, str]]:
    name, path, domain = affinity.cookie_name, affinity.path, affinity.domain
    if name is not None and not _TOKEN.fullmatch(name):
        yield "cookieName", f'"{name}" is no name of a cookie: use letters, digits, "-", "_" and "."'
    if path is not None and not _PATH.fullmatch(path):
        yield "path", f'"{path}" is no path: begin with "/", and leave out blanks and semicolons'
    if domain is not None and not _DOMAIN.fullmatch(domain):
        yield "domain", f'"{domain}" is no domain: write it as in example.com'
    yield from _age(affinity)
    yield from _security(affinity)


def _age(affinity: SessionAffinity) -> Iterator[tuple[str, str]]:
    try:
        length = affinity.max_age_or_default
    except ValueError as error:
        yield "maxAge", str(error)
        return
    if not timedelta(seconds=1) <= length <= _MOST:
        yield "maxAge", f"{affinity.max_age} is out of range: browsers keep cookies for 1s to 9600h (400 days)"


def _security(affinity: SessionAffinity) -> Iterator[tuple[str, str]]:
    """Yield what browsers refuse."""
    if affinity.same_site == "None" and not affinity.secure:
        yield "sameSite", "browsers refuse None without secure: set secure to true, or sameSite to Lax"
    name = (affinity.cookie_name or "").lower()
    if name.startswith(("__secure-", "__host-")) and not affinity.secure:
        yield "cookieName", f'browsers refuse "{affinity.cookie_name}" without secure: set secure to true'
    if name.startswith("__host-") and (affinity.domain or affinity.path not in {None, _PATH_OF_ALL}):
        yield "cookieName", f'browsers refuse "{affinity.cookie_name}" with a path or a domain: remove both'


def _sessions(affinity: SessionAffinity, canary: CanaryStrategy, kit: Kit) -> Iterator[tuple[str, str]]:
    """Yield what doesn't go with sessions that routers keep themselves."""
    at = "trafficRouting.sessionAffinity"
    able = sorted(key for key, router in kit.routers.items() if Ability.SESSION_PERSISTENCE in router.abilities)
    for key in configured(canary.traffic_routing) if canary.traffic_routing is not None else ():
        if key in kit.routers and key not in able:
            can = f", which {', '.join(able)} can" if able else ""
            yield f"{at}.sessionPersistence", f"{key} can't be told to keep sessions itself{can}: remove it"
    for field in ("path", "domain", "secure", "http_only", "same_site"):
        if getattr(affinity, field) is not None:
            name = to_camel(field)
            yield (
                f"{at}.{name}",
                f"the Gateway makes the cookie of a session itself: remove {name}, or sessionPersistence",
            )
    for index, step in enumerate(canary.steps):
        if step.set_mirror_route is not None:
            yield (
                f"steps[{index}].setMirrorRoute",
                (
                    "has a rule of its own, and a session is kept for one rule: remove it, or sessionPersistence of"
                    " sessionAffinity"
                ),
            )
