"""How is a rollout shown while the demo waits for it? As a live tree on a terminal, as lines of changes elsewhere."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from rollouts.cli.console import Screen
from rollouts.cli.errors import CommandError
from rollouts.cli.live import Picture, Watched, fitting
from rollouts.view import fields

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rollouts.cli.session import Session

PATIENCE = 120.0  # it only bounds a failure: machines may be slow

_REDRAW = 0.25
_LINE_SECONDS = 1.0

Test = Callable[[Picture], bool]


class Beside(Protocol):
    """What is shown beside a rollout: it changes all the time."""

    def drawn(self, picture: Picture) -> "RenderableType":
        """Return what to show of it beside this rollout."""

    def line(self, picture: Picture) -> str:
        """Return the same in a few words."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """A moment of a rollout, and of what is beside it."""

    picture: Picture
    beside: Beside | None

    def drawn(self, now: datetime, *, wide: bool = False, is_short: bool = False) -> "RenderableType":
        """Return both, one above the other."""
        drawn = self.picture.drawn(now, wide=wide, is_short=is_short)
        if self.beside is None:
            return drawn
        from rich.console import Group

        return Group(self.beside.drawn(self.picture), "", drawn)


class Stage:
    """One rollout, watched; each `until` shows it until a test of its picture holds."""

    def __init__(self, session: "Session", name: str, screen: Screen, beside: Beside | None = None) -> None:
        self._watched = Watched(session, name)
        self._screen = screen
        self._beside = beside
        self._last_line = ""
        self._said = 0.0

    @contextlib.asynccontextmanager
    async def open(self) -> Any:
        """Begin to watch."""
        async with self._watched.running():
            yield self

    async def until(self, test: Test, what: str) -> Picture:
        """Show the rollout until `test` holds for its picture; an error names `what` was waited for."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await (self._live(test) if self._screen.is_live else self._lines(test))
        except TimeoutError:
            self._screen.show(self._scene(await self._watched.picture()).drawn(datetime.now(UTC)))
            raise CommandError(f"after {PATIENCE:g} s the rollout is still not {what}") from None

    async def stay(self) -> None:
        """Go on showing what is beside the rollout where that changes in place, until somebody ends it."""
        if self._beside is not None and self._screen.is_live:
            await self._live(lambda _: False)
        await asyncio.Event().wait()

    async def _live(self, test: Test) -> Picture:
        from rich.live import Live

        with Live(console=self._screen.console, auto_refresh=False, vertical_overflow="crop") as live:
            while True:
                picture = await self._next()
                now = datetime.now(UTC)
                scene = self._scene(picture)
                if test(picture):
                    live.update(scene.drawn(now))  # what stays on the screen may scroll, and is whole
                    return picture
                live.update(fitting(scene, self._screen.console, now), refresh=True)

    async def _lines(self, test: Test) -> Picture:
        while True:
            picture = await self._next()
            self._say(picture)
            if test(picture):
                self._screen.show(self._scene(picture).drawn(datetime.now(UTC)))
                return picture

    def _say(self, picture: Picture) -> None:
        """Print a line when the rollout has changed, or in a while, for what is beside it."""
        line, now = _in_a_line(picture), time.monotonic()
        if line != self._last_line or (self._beside is not None and now - self._said >= _LINE_SECONDS):
            self._last_line, self._said = line, now
            beside = f"{self._beside.line(picture)}  " if self._beside is not None else ""
            self._screen.show(f"  {beside}{line}")

    def _scene(self, picture: Picture) -> _Scene:
        return _Scene(picture, self._beside)

    async def _next(self) -> Picture:
        """Return the next picture: when something has changed, or in a moment, for the ages."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REDRAW):  # wait_for of Python 3.11 may lose a cancellation
                await self._watched.changed.wait()
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
