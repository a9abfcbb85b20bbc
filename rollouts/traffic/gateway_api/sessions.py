"""How does a Gateway keep clients' sessions itself?

A rule's sessionPersistence is a field of the experimental channel. A session outranks the weights, even a weight of 0:
it comes and goes with the same write as they do, and its name is the update's.
"""

from typing import Any

from rollouts.ports import Session, is_affinity_session
from rollouts.ports.router import Raw

FIELD = "sessionPersistence"
NEEDS = (
    "sessionPersistence is a field of the Gateway API's experimental channel, with cookie since version 1.7 and"
    " sessionName before: install that channel's definitions, or change sessionAffinity.sessionPersistence to the"
    " field that they have, or remove it"
)

_MINUTE, _HOUR = 60, 3600


def with_session(rule: Raw, session: Session) -> Raw:
    """Return a rule that keeps a session. What the API server would fill in is left out, or written as it would be."""
    lifetime = "Session" if session.seconds is None else "Permanent"
    said: dict[str, Any] = {"type": "Cookie"}
    if session.field == "cookie":
        said["cookie"] = {"name": session.name, "lifetimeType": lifetime, "path": "/"}
    else:
        said |= {"sessionName": session.name, "cookieConfig": {"lifetimeType": lifetime}}
    if session.seconds is not None:
        said["absoluteTimeout"] = _duration(session.seconds)
    return {**rule, FIELD: said}


def without_session(rule: Raw, rollout: str) -> Raw:
    """Return a rule without what `with_session` has put into it for a Rollout; the same one if there is nothing."""
    said = rule.get(FIELD) or {}
    name = said.get("sessionName") or (said.get("cookie") or {}).get("name") or ""
    return {key: value for key, value in rule.items() if key != FIELD} if is_affinity_session(name, rollout) else rule


def has_session(patch: Raw, rollout: str) -> bool:
    """Tell whether a patch of a route has a session of a Rollout."""
    rules = (patch.get("spec") or {}).get("rules") or ()
    return any(without_session(each, rollout) is not each for each in rules)


def _duration(seconds: int) -> str:
    """Return a duration in the notation of the Gateway API, whose numbers have five digits at most."""
    hours, rest = divmod(seconds, _HOUR)
    parts = ((hours, "h"), (rest // _MINUTE, "m"), (rest % _MINUTE, "s"))
    return "".join(f"{number}{unit}" for number, unit in parts if number)
