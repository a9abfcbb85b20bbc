"""How does a picture of an object stay true while somebody looks? Caches that watch, and a redraw on each change."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from rollouts.api.keys import POD_TEMPLATE_HASH
from rollouts.cli.console import Screen
from rollouts.cli.errors import CommandError
from rollouts.cli.picture import Picture, picture_of
from rollouts.cli.planning import Measured
from rollouts.kube.cache import Cache
from rollouts.kube.errors import Forbidden, NotFound
from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS, PODS, REPLICA_SETS, ROLLOUTS, Resource
from rollouts.view import fields

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from rollouts.cli.session import Session

__all__ = ["Drawable", "Picture", "Watched", "WatchedObject", "fitting", "follow"]

Json = dict[str, Any]

_FIRST_SYNC = 30.0
_REDRAW = 1.0  # ages grow, and pauses come to their end


class Drawable(Protocol):
    """What one moment of an object looks like."""

    def drawn(self, now: datetime, *, wide: bool = False, is_short: bool = False) -> "RenderableType":
        """Return what to show at `now`; a short picture where a terminal lacks the lines."""


class WatchedObject(ABC):
    """An object and what belongs to it, kept up to date; `changed` is set whenever one of them is another."""

    noun: str

    def __init__(self, session: "Session", name: str, resource: Resource) -> None:
        self.changed = asyncio.Event()
        self.session, self.name = session, name
        self._optional: list[Cache] = []
        self._objects = self._cache(resource, field_selector=f"metadata.name={name}")
        self._needed = [self._objects]

    def _cache(self, resource: Resource, **selectors: Any) -> Cache:
        return Cache(self.session.api, resource, self.session.namespace, on_change=self._note, **selectors)

    def watch(self, resource: Resource, *, label_selector: str) -> Cache:
        """Watch what the picture can't do without."""
        cache = self._cache(resource, label_selector=label_selector)
        self._needed.append(cache)
        return cache

    def watch_if_readable(self, resource: Resource) -> Cache:
        """Watch what not everybody may read, or has installed; it stays empty then."""
        cache = self._cache(resource)
        self._optional.append(cache)
        return cache

    def _note(self, *_: object) -> None:
        self.changed.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep watching; begins with everything known."""
        caches = [*self._needed, *[each for each in self._optional if await self._is_readable(each.resource)]]
        tasks = [asyncio.create_task(cache.run()) for cache in caches]
        try:
            for cache in caches:
                try:
                    await cache.wait_synced(_FIRST_SYNC)
                except TimeoutError as error:
                    raise CommandError(f"{self.noun} {self.name!r}: {error}") from error
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _is_readable(self, resource: Resource) -> bool:
        try:
            await self.session.found(resource, name=self.name)
        except (Forbidden, NotFound):
            return False
        return True

    def current(self) -> Json:
        """Return the object as it is now. Raises CommandError once it is gone."""
        raw = self._objects.get(self.session.namespace, self.name)
        if raw is None:
            raise CommandError(f"{self.noun} {self.name!r} was deleted")
        return raw

    @abstractmethod
    async def picture(self) -> Drawable:
        """Return the picture of now."""


class Watched(WatchedObject):
    """A rollout, its ReplicaSets and pods, experiments and analysis runs."""

    noun = "rollout"

    def __init__(self, session: "Session", name: str) -> None:
        super().__init__(session, name, ROLLOUTS)
        self._replica_sets = self.watch(REPLICA_SETS, label_selector=POD_TEMPLATE_HASH)
        self._pods = self.watch(PODS, label_selector=POD_TEMPLATE_HASH)
        self._runs = self.watch_if_readable(ANALYSIS_RUNS)
        self._experiments = self.watch_if_readable(EXPERIMENTS)

    async def picture(self) -> Picture:
        """Return the picture of now."""
        raw = self.current()
        experiments = fields.controlled_by(raw, self._experiments.items())
        replica_sets = [
            dict(each)
            for owner in (raw, *experiments)
            for each in fields.controlled_by(owner, self._replica_sets.items())
        ]
        beside = Measured(self._runs.items(), [dict(each) for each in experiments])
        return await picture_of(self.session, raw, replica_sets, self._pods.items(), datetime.now(UTC), beside)


async def follow(watched: WatchedObject, screen: Screen, *, wide: bool, seconds: float = 0) -> None:
    """Show an object and every change of it until interrupted, or for so many seconds; 0 is no limit."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds or None), watched.running():
            if screen.is_live:
                await _on_terminal(watched, screen, wide=wide)
            else:
                await _as_text(watched, screen, wide=wide)


async def _on_terminal(watched: WatchedObject, screen: Screen, *, wide: bool) -> None:
    from rich.live import Live

    with Live(console=screen.console, auto_refresh=False, vertical_overflow="crop") as live:
        picture = await watched.picture()
        while True:
            if watched.changed.is_set():
                watched.changed.clear()
                picture = await watched.picture()
            live.update(fitting(picture, screen.console, datetime.now(UTC), wide=wide), refresh=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REDRAW):
                    await watched.changed.wait()


def fitting(picture: Drawable, console: "Console", now: datetime, *, wide: bool = False) -> "RenderableType":
    """Return the picture, the short one where a terminal lacks the lines for the other."""
    whole = picture.drawn(now, wide=wide)
    fits = len(console.render_lines(whole, pad=False)) < console.height
    return whole if fits else picture.drawn(now, wide=wide, is_short=True)


async def _as_text(watched: WatchedObject, screen: Screen, *, wide: bool) -> None:
    """Print the whole picture again after each change, with a line between."""
    while True:
        watched.changed.clear()
        picture = await watched.picture()
        screen.show(picture.drawn(datetime.now(UTC), wide=wide))
        await watched.changed.wait()
        screen.show("---")
