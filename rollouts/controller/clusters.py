"""In which cluster are the objects of an API group? In ours, unless a Secret leads to another one.

A router says which label such a Secret has. It lies in the controller's own namespace, and is watched from the moment
that somebody asks: it may come, change and go at any time. As long as there is one that can't be used, nobody takes our
own cluster in its place: a route that is written to the wrong cluster looks like one that is in force.
"""

import asyncio
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import structlog

from rollouts.controller.following import PATIENCE, Following, ended
from rollouts.kube.cache import Cache
from rollouts.kube.client import Api
from rollouts.kube.connection import Connection
from rollouts.kube.embedded import read_embedded
from rollouts.kube.errors import ConfigError
from rollouts.kube.kubeconfig import Target
from rollouts.kube.resources import SECRETS
from rollouts.ports import Kit

if TYPE_CHECKING:
    from rollouts.kube.transport import OnRequest

Raw = Mapping[str, Any]

RETRY = 1.0
"""How often it is looked what keeps the Secrets from being seen."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Cluster:
    """A cluster to read and write in; without an API nobody can tell which, or how, and the trouble says why.

    The trouble is empty while it is only slow. `title` goes into sentences: it tells by which Secret it was found.
    """

    api: Api | None
    trouble: str = ""
    title: str = "the API server"


_UNKNOWN = Cluster(None)


def labels_of(kit: Kit) -> Mapping[str, str]:
    """Return the labels of the Secrets by API group, for all routers."""
    return {group: label for router in kit.routers.values() for group, label in router.clusters.items()}


class Clusters(Following[str]):
    """Follows the Secrets of each label that is asked for, and keeps a connection to the cluster that they lead to."""

    def __init__(
        self,
        api: Api,
        namespace: str,
        labels: Mapping[str, str],
        *,
        on_request: "OnRequest | None" = None,
        read: Callable[[str, str], Target] = read_embedded,
    ) -> None:
        super().__init__("router may have its objects in another cluster")
        self._own = Cluster(api)
        self._api = api
        self._namespace = namespace
        self._labels = labels
        self._on_request = on_request
        self._read = read
        self._found: dict[str, Cluster] = {}
        self._news = asyncio.Event()

    def of(self, group: str) -> Cluster:
        """Return the cluster that has a group's objects, as far as that is known by now."""
        label = self._labels.get(group)
        if label is None:
            return self._own
        self.follow(label)
        return self._found.get(label, _UNKNOWN)

    async def other_than(self, group: str, known: Cluster) -> None:
        """Wait until it isn't the cluster that it was."""
        while self.of(group) is known:
            await self._news.wait()

    async def api_of(self, group: str) -> Api:
        """Return what a group's objects are read and written by, once it is known. Raises ConfigError."""
        while (cluster := self.of(group)) is _UNKNOWN:
            async with asyncio.timeout(PATIENCE):
                await self.other_than(group, cluster)
        if cluster.api is None:
            raise ConfigError(cluster.trouble)
        return cluster.api

    async def _watch(self, label: str) -> None:
        """Follow the Secrets of a label until cancelled."""
        changed = asyncio.Event()
        cache = Cache(self._api, SECRETS, self._namespace, label_selector=label, on_change=lambda *_: changed.set())
        feed = asyncio.create_task(cache.run())
        connection: Connection | None = None
        contents: object = None
        try:
            while True:
                changed.clear()
                if not cache.synced.is_set():
                    self._cannot_tell(label, cache.problem)
                elif contents != (contents := _contents(cache.items())):
                    before, connection = connection, await self._follow_to(label, cache.items())
                    if before is not None:
                        await before.close()
                if cache.synced.is_set():
                    await _first(feed, changed)
                else:
                    await _first(feed, cache.synced, RETRY)
        finally:
            await ended(feed)
            self._found.pop(label, None)
            if connection is not None:
                await connection.close()

    def _cannot_tell(self, label: str, problem: str | None) -> None:
        if problem and label not in self._found:
            where = f"namespace {self._namespace}, which would lead to another cluster"
            self._take(label, Cluster(None, f"Secrets labelled {label} in {where}, can't be read: {problem}"))

    async def _follow_to(self, label: str, secrets: Sequence[Raw]) -> Connection | None:
        """Take the cluster that Secrets lead to; return the connection, if it isn't our own."""
        if not secrets:
            if label in self._found:
                _log.info("in our own cluster", label=label, reason="no Secret with this label leads to another one")
            self._take(label, self._own)
            return None
        try:
            source, text = _kubeconfig(label, self._namespace, secrets)
            connection = Connection(self._read(text, source))
            await connection.prepare()
        except ConfigError as error:
            self._take(label, Cluster(None, str(error)))
            return None
        _log.info("in another cluster", label=label, server=connection.server, source=source)
        api = Api(connection, on_request=self._on_request)
        self._take(label, Cluster(api, title=f"the API server of {source}"))
        return connection

    def _take(self, label: str, cluster: Cluster) -> None:
        if cluster.trouble:
            _log.warning("in no cluster", label=label, reason=cluster.trouble)
        self._found[label] = cluster
        self._news.set()
        self._news = asyncio.Event()


def _contents(secrets: Sequence[Raw]) -> object:
    """Return what a connection depends on: other changes of a Secret break none."""
    return {each["metadata"]["name"]: each.get("data") or {} for each in secrets}


def _kubeconfig(label: str, namespace: str, secrets: Sequence[Raw]) -> tuple[str, str]:
    """Return the one kubeconfig of the one Secret, and what to call it. Raises ConfigError."""
    first, *others = sorted(f"{namespace}/{each['metadata']['name']}" for each in secrets)
    if others:
        every = ", ".join((first, *others))
        raise ConfigError(
            f"Secrets {every} are all labelled {label}, and only one can say which cluster it is: "
            "take the label off the others"
        )
    data = secrets[0].get("data") or {}
    if len(data) != 1:
        keys = f"the keys {', '.join(sorted(data))}" if data else "no data"
        raise ConfigError(f"Secret {first} has {keys}: it must have one key, with a kubeconfig")
    ((key, encoded),) = data.items()
    source = f'Secret {first}, key "{key}"'
    try:
        return source, b64decode(encoded).decode()
    except ValueError:
        raise ConfigError(f"{source}: not a kubeconfig: it isn't text") from None


async def _first(feed: asyncio.Task[None], event: asyncio.Event, seconds: float | None = None) -> None:
    """Wait for an event, or for a time; a feed that breaks raises."""
    happens = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({feed, happens}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        happens.cancel()
    if feed.done():
        feed.result()
