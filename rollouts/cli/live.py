"""How does a picture of a rollout stay true while somebody looks? Caches that watch, and a redraw on each change."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rollouts.api.keys import POD_TEMPLATE_HASH
from rollouts.cli.console import Screen
from rollouts.cli.errors import CommandError
from rollouts.cli.picture import Picture, picture_of
from rollouts.kube.cache import Cache
from rollouts.kube.resources import PODS, REPLICA_SETS, ROLLOUTS
from rollouts.view import fields

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from rollouts.cli.session import Session

__all__ = ["Picture", "Watched", "follow"]

Json = dict[str, Any]

_FIRST_SYNC = 30.0
_REDRAW = 1.0  # ages grow, and pauses come to their end


class Watched:
    """A rollout, its ReplicaSets and pods, kept up to date; `changed` is set whenever one of them is another."""

    def __init__(self, session: "Session", name: str) -> None:
        self.changed = asyncio.Event()
        self._session, self._name = session, name
        scope: dict[str, Any] = {"namespace": session.namespace, "on_change": self._note}
        self._rollouts = Cache(session.api, ROLLOUTS, field_selector=f"metadata.name={name}", **scope)
        self._replica_sets = Cache(session.api, REPLICA_SETS, label_selector=POD_TEMPLATE_HASH, **scope)
        self._pods = Cache(session.api, PODS, label_selector=POD_TEMPLATE_HASH, **scope)

    def _note(self, *_: object) -> None:
        self.changed.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep watching; begins with everything known."""
        caches = (self._rollouts, self._replica_sets, self._pods)
        tasks = [asyncio.create_task(cache.run()) for cache in caches]
        try:
            for cache in caches:
                try:
                    await cache.wait_synced(_FIRST_SYNC)
                except TimeoutError as error:
                    raise CommandError(f"rollout {self._name!r}: {error}") from error
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def picture(self) -> Picture:
        """Return the picture of now."""
        raw = self._rollouts.get(self._session.namespace, self._name)
        if raw is None:
            raise CommandError(f"rollout {self._name!r} was deleted")
        replica_sets = [dict(each) for each in fields.controlled_by(raw, self._replica_sets.items())]
        return await picture_of(self._session, raw, replica_sets, self._pods.items(), datetime.now(UTC))


async def follow(session: "Session", raw: Json, screen: Screen, *, wide: bool) -> None:
    """Show the rollout and every change of it until interrupted."""
    watched = Watched(session, fields.name_of(raw))
    async with watched.running():
        if screen.is_live:
            await _on_terminal(watched, screen, wide=wide)
        else:
            await _as_text(watched, screen, wide=wide)


async def _on_terminal(watched: Watched, screen: Screen, *, wide: bool) -> None:
    from rich.live import Live

    with Live(console=screen.console, auto_refresh=False, vertical_overflow="crop") as live:
        picture = await watched.picture()
        while True:
            if watched.changed.is_set():
                watched.changed.clear()
                picture = await watched.picture()
            live.update(fitting(picture, screen.console, datetime.now(UTC), wide=wide), refresh=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watched.changed.wait(), _REDRAW)


def fitting(picture: Picture, console: "Console", now: datetime, *, wide: bool = False) -> "RenderableType":
    """Return the picture, the short one where a terminal lacks the lines for the other."""
    whole = picture.drawn(now, wide=wide)
    fits = len(console.render_lines(whole, pad=False)) < console.height
    return whole if fits else picture.drawn(now, wide=wide, is_short=True)


async def _as_text(watched: Watched, screen: Screen, *, wide: bool) -> None:
    """Print the whole picture again after each change, with a line between."""
    while True:
        watched.changed.clear()
        picture = await watched.picture()
        screen.show(picture.drawn(datetime.now(UTC), wide=wide))
        await watched.changed.wait()
        screen.show("---")
