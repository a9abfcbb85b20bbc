"""What do the Secrets say that metrics are measured with? Read one by one when a measurement needs them, never listed.

A value is kept for half a minute: a thousand runs with the same Secret read it twice a minute, and one that was rotated
is used soon enough. That a Secret isn't there is kept for seconds only: whoever mends it needn't wait.
"""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from rollouts.kube.client import Api
from rollouts.kube.errors import ApiError, NotFound
from rollouts.kube.resources import SECRETS
from rollouts.ports.provider import MeasurementError, SecretRef

KEPT_FOR = 30.0
ABSENT_FOR = 3.0
MOST_KEPT = 1_000

Values = Mapping[str, str]


class Secrets:
    """Reads Secrets; those that ask for the same one at once share the answer."""

    def __init__(self, api: Api, home: str, *, monotonic: Callable[[], float]) -> None:
        self._api = api
        self._home = home
        self._monotonic = monotonic
        self._kept: dict[SecretRef, tuple[float, Values | None]] = {}
        self._asked: dict[SecretRef, asyncio.Task[Values | None]] = {}

    async def read(self, reference: SecretRef) -> Values | None:
        """Return a Secret's values by key; None if there is no such Secret. Raises MeasurementError.

        Without a namespace it is the controller's own.
        """
        reference = SecretRef(reference.name, reference.namespace or self._home)
        until, values = self._kept.get(reference, (0.0, {}))
        if self._monotonic() < until:
            return values
        asked = self._asked.get(reference)
        if asked is None:
            asked = self._asked[reference] = asyncio.create_task(self._fetch(reference))
            asked.add_done_callback(lambda _: self._asked.pop(reference))
        try:
            return await asyncio.shield(asked)  # whoever gives up waiting doesn't take the answer from the others
        except ApiError as error:
            where = f"{reference.namespace}/{reference.name}"
            raise MeasurementError(f'the Secret "{where}" can\'t be read: {error.reason}: {error.message}') from None

    async def _fetch(self, reference: SecretRef) -> Values | None:
        try:
            raw = await self._api.get(SECRETS, reference.namespace, reference.name)
        except NotFound:
            return self._keep(reference, None, ABSENT_FOR)
        return self._keep(reference, _texts(raw.get("data") or {}), KEPT_FOR)

    def _keep(self, reference: SecretRef, values: Values | None, seconds: float) -> Values | None:
        now = self._monotonic()
        if len(self._kept) >= MOST_KEPT:
            self._kept = {each: kept for each, kept in self._kept.items() if now < kept[0]}
        if len(self._kept) < MOST_KEPT:
            self._kept[reference] = (now + seconds, values)
        return values


def _texts(data: Mapping[str, Any]) -> Values:
    """Return the values that are text; a keystore beside a token is nobody's value."""
    texts = {}
    for key, encoded in data.items():
        try:
            texts[key] = b64decode(encoded).decode()
        except ValueError:
            continue
    return texts
