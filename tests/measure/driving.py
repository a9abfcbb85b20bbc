"""How are flows run in tests? Without a network: answers are given, requests are looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from rollouts.ports import Asked, ObjectError, ObjectRequest, Outcome, Request, Response
from rollouts.ports.provider import AnyProvider

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def answered(body: Any, status: int = 200) -> Response:
    """Return an answer; what isn't bytes is written as JSON."""
    return Response(status, {}, body if isinstance(body, bytes) else orjson.dumps(body))


def _sent(request: Request | ObjectRequest, answer: Any) -> Any:
    """Return what a request is answered with: an HTTP response, or objects as they are."""
    return answered(answer) if isinstance(request, Request) and not isinstance(answer, Response) else answer


class Told:
    """What came of a flow: its requests, in `asked_of`, and its outcome. An ObjectError among the answers is raised."""

    def __init__(self, provider: AnyProvider, raw: Mapping[str, Any], answers: Sequence[Any], **asked: Any) -> None:
        spec = provider.model.model_validate(raw, by_alias=True, by_name=False)
        wanted = Asked(asked.pop("now", NOW), **asked)
        secrets = {reference: wanted.secrets.get(reference) for reference in provider.secrets_of(spec, "shop")}
        wanted = replace(wanted, namespace="shop", secrets=secrets)
        self.asked_of: list[Request | ObjectRequest] = []
        self.outcome: Outcome | None = None
        flow = provider.flow(spec, wanted)
        try:
            request = next(flow)
            self.asked_of.append(request)
            for answer in answers:
                request = flow.throw(answer) if isinstance(answer, ObjectError) else flow.send(_sent(request, answer))
                self.asked_of.append(request)
        except StopIteration as end:
            self.outcome = end.value

    @property
    def requests(self) -> list[Request]:
        """Those over HTTP."""
        return [each for each in self.asked_of if isinstance(each, Request)]

    @property
    def request(self) -> Request:
        return self.requests[-1]

    @property
    def form(self) -> dict[str, str]:
        """The last request's form, or its query where it has no body."""
        text = self.request.body.decode() if self.request.body else urlsplit(self.request.url).query
        return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}

    @property
    def json(self) -> Any:
        return orjson.loads(self.request.body or b"null")


def problems(provider: AnyProvider, raw: Mapping[str, Any]) -> dict[str, str]:
    """Return the problems of a spec by their paths."""
    return dict(provider.problems(provider.model.model_validate(raw, by_alias=True, by_name=False)))
