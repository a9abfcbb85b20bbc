"""`plugin: {name: http-gate}`: what does the service say of this rollout?

The service is asked by a POST and answers with `{"verdict": "go" | "wait" | "stop", "reason": ..., "ticket": ...}`.
A ticket that it gives is sent with the next questions; a question that nobody waits for any more is taken back by a
DELETE.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from pydantic import ConfigDict, Field
from rollouts.api.base import Model
from rollouts.api.durations import format_duration, parse_duration
from rollouts.api.timestamps import format_time, parse_time
from rollouts.ports import Answer, CalledStep, CallFlow, Request, SecretRef, Situation

LONGEST_REASON = 500
LONGEST_TICKET = 200


class TokenRef(Model):
    """A key of a Secret in the Rollout's namespace, sent as a bearer token."""

    model_config = ConfigDict(extra="forbid")

    name: str
    key: str = "token"


class Gate(Model):
    """The `config` of the step."""

    model_config = ConfigDict(extra="forbid")

    url: str
    every: str = "30s"
    gives_up_after: str | None = None
    token: TokenRef | None = None
    about: dict[str, str] = Field(default_factory=dict)


class HttpGate(CalledStep[Gate]):
    """Asks until the service says go or stop. It remembers since when it asks, how often it has, and its ticket."""

    key = "http-gate"
    model = Gate

    def problems(self, spec: Gate, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        del max_weight, routed
        if not spec.url.startswith(("http://", "https://")):
            yield "url", f"{spec.url!r} is no URL: write it as https://gate.example/rollouts"
        for path, text in (("every", spec.every), ("givesUpAfter", spec.gives_up_after)):
            try:
                is_sound = text is None or parse_duration(text) >= timedelta(seconds=1)
            except ValueError as error:
                yield path, str(error)
            else:
                if not is_sound:
                    yield path, f"{text} is too short: a second is the least"

    def secrets_of(self, spec: Gate, namespace: str) -> tuple[SecretRef, ...]:
        return () if spec.token is None else (SecretRef(spec.token.name, namespace),)

    def run(self, spec: Gate, here: Situation) -> CallFlow:
        headers = _headers(spec, here)
        if isinstance(headers, str):
            yield from ()
            return Answer("Error", headers)
        since = _since(here)
        asks = _count(here.status.get("asks")) + 1
        response = yield Request("POST", spec.url, headers, _question(spec, here, since, asks), timeout=10)
        if response.status != 200:
            return Answer("Error", f"the gate answers with status {response.status}: is {spec.url} right?")
        verdict, reason, ticket = _read(response.body)
        memory = {"since": format_time(since), "asks": asks, **({"ticket": ticket} if ticket else {})}
        match verdict:
            case "go":
                return Answer("Successful", reason or "the gate says go", status=memory)
            case "stop":
                return Answer("Failed", reason or "the gate says stop", status=memory)
            case "wait":
                return _waits(spec, here, since, Answer("Running", reason or "the gate says wait", status=memory))
            case _:
                return Answer("Error", 'the gate answers with no verdict: expected are "go", "wait" and "stop"')

    def terminate(self, spec: Gate, here: Situation) -> CallFlow:
        return self._take_back(spec, here)

    def abort(self, spec: Gate, here: Situation) -> CallFlow:
        return self._take_back(spec, here)

    def _take_back(self, spec: Gate, here: Situation) -> CallFlow:
        headers, ticket = _headers(spec, here), _ticket(here.status.get("ticket"))
        if not ticket:
            yield from ()
            return Answer("Successful", "there is no ticket to take back")
        if isinstance(headers, str):
            return Answer("Error", headers)
        where = f"{spec.url.rstrip('/')}/{quote(ticket, safe='')}"
        response = yield Request("DELETE", where, headers, timeout=10)
        if response.status in {200, 202, 204, 404, 410}:
            return Answer("Successful", "the ticket is taken back")
        return Answer("Error", f"the gate answers with status {response.status} when a ticket is taken back")


def _headers(spec: Gate, here: Situation) -> dict[str, str] | str:
    """Return the headers of each request, or what is in the way."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if spec.token is None:
        return headers
    held = next((values for reference, values in here.secrets.items() if reference.name == spec.token.name), None)
    if held is None:
        return f'the Secret "{spec.token.name}" does not exist'
    if spec.token.key not in held:
        return f'the Secret "{spec.token.name}" has no key "{spec.token.key}"'
    return {**headers, "Authorization": f"Bearer {held[spec.token.key]}"}


def _question(spec: Gate, here: Situation, since: datetime, asks: int) -> bytes:
    metadata, status = here.rollout["metadata"], here.rollout.get("status") or {}
    question = {
        "rollout": metadata["name"],
        "namespace": metadata.get("namespace", "default"),
        "step": here.index,
        "from": status.get("stableRS"),
        "to": status.get("currentPodHash"),
        "since": format_time(since),
        "asks": asks,
        "ticket": _ticket(here.status.get("ticket")) or None,
        "about": spec.about,
    }
    return json.dumps(question).encode()


def _waits(spec: Gate, here: Situation, since: datetime, answer: Answer) -> Answer:
    """Return the answer of a gate that says wait, unless it has said so for too long."""
    if spec.gives_up_after is not None and here.now - since >= parse_duration(spec.gives_up_after):
        waited = format_duration(here.now - since)
        return Answer("Failed", f"nobody has said go within {waited}: {answer.message}", status=answer.status)
    return Answer("Running", answer.message, parse_duration(spec.every), answer.status)


def _read(body: bytes) -> tuple[str, str, str]:
    """Return verdict, reason and ticket; empty where they aren't there, or are none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "", "", ""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("verdict"), str):
        return "", "", ""
    reason = answer.get("reason")
    text = " ".join(reason.split())[:LONGEST_REASON] if isinstance(reason, str) else ""
    return answer["verdict"], text, _ticket(answer.get("ticket"))


def _ticket(value: Any) -> str:
    is_one = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value) if is_one and len(str(value)) <= LONGEST_TICKET else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _since(here: Situation) -> datetime:
    try:
        return min(parse_time(str(here.status["since"])), here.now)
    except (KeyError, ValueError):
        return here.now
