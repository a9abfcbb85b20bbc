"""What does a Rollout that is gone leave behind? The garbage collector takes what it owned; Services are given back.

A Service has no owner among the Rollouts, so nobody else takes our hash out of its selector. Were it left there, the
Service would have no pods for ever, and no other Rollout could use it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from rollouts.controller import requests
from rollouts.controller.key import Key
from rollouts.kube.client import Api
from rollouts.kube.errors import NotFound
from rollouts.kube.resources import ROLLOUTS, SERVICES

Raw = Mapping[str, Any]

_log = structlog.get_logger(__name__)


async def give_back(api: Api, key: Key, services: Sequence[Raw]) -> None:
    """Release the Services that carry a Rollout's mark, if a live read shows that there is no such Rollout.

    Our caches can't tell: they lack the Rollouts that another controller looks after. A Service that another Rollout
    names by now is released, too: with the mark on it, that one may not use it. Raises ApiError, to be tried again.
    """
    if not services or not await _is_gone(api, key):
        return
    for service in services:
        metadata = service["metadata"]
        try:
            patch = requests.release_service(metadata["resourceVersion"])
            await api.patch(SERVICES, key.namespace, metadata["name"], patch)
        except NotFound:
            continue
        _log.info("service given back", service=f"{key.namespace}/{metadata['name']}", rollout=str(key))


async def _is_gone(api: Api, key: Key) -> bool:
    try:
        await api.get(ROLLOUTS, key.namespace, key.name)
    except NotFound:
        return True
    return False
