"""How is a rollout shown while the demo waits for it? As a live tree on a terminal, as lines of changes elsewhere."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rollouts.cli.console import Screen
from rollouts.cli.errors import CommandError
from rollouts.cli.live import Picture, Watched, fitting
from rollouts.view import fields

if TYPE_CHECKING:
    from rollouts.cli.session import Session

_REDRAW = 0.25

Test = Callable[[Picture], bool]


class Stage:
    """One rollout, watched; each `until` shows it until a test of its picture holds."""

    def __init__(self, session: "Session", name: str, screen: Screen) -> None:
        self._watched = Watched(session, name)
        self._screen = screen
        self._last_line = ""

    @contextlib.asynccontextmanager
    async def open(self) -> Any:
        """Begin to watch."""
        async with self._watched.running():
            yield self

    async def until(self, test: Test, what: str, seconds: float) -> Picture:
        """Show the rollout until `test` holds for its picture; an error names `what` was waited for."""
        try:
            async with asyncio.timeout(seconds):
                return await (self._live(test) if self._screen.is_live else self._lines(test))
        except TimeoutError:
            picture = await self._watched.picture()
            self._screen.show(picture.drawn(datetime.now(UTC)))
            raise CommandError(f"after {seconds:g} s the rollout is still not {what}") from None

    async def _live(self, test: Test) -> Picture:
        from rich.live import Live

        with Live(console=self._screen.console, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                picture = await self._next()
                now = datetime.now(UTC)
                if test(picture):
                    live.update(picture.drawn(now))  # what stays on the screen may scroll, and is whole
                    return picture
                live.update(fitting(picture, self._screen.console, now), refresh=True)

    async def _lines(self, test: Test) -> Picture:
        while True:
            picture = await self._next()
            line = _in_a_line(picture)
            if line != self._last_line:
                self._last_line = line
                self._screen.show(f"  {line}")
            if test(picture):
                self._screen.show(picture.drawn(datetime.now(UTC)))
                return picture

    async def _next(self) -> Picture:
        """Return the next picture: when something has changed, or in a moment, for the ages."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._watched.changed.wait(), _REDRAW)
        self._watched.changed.clear()
        return await self._watched.picture()


def _in_a_line(picture: Picture) -> str:
    status = picture.rollout.get("status") or {}
    by_revision = sorted(picture.replica_sets, key=lambda each: each["metadata"].get("creationTimestamp", ""))
    sizes = " ".join(
        f"{fields.name_of(each).rpartition('-')[2]}:"
        f"{(each.get('status') or {}).get('availableReplicas', 0)}/{each['spec'].get('replicas', 0)}"
        for each in by_revision
    )
    why = picture.because or status.get("message", "")
    return f"{status.get('phase', 'new'):<12} {sizes:<28} {why}"
