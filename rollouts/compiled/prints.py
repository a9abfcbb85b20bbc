"""What becomes of what a plugin prints? It goes to the log, line by line, and no more than people can read."""

import asyncio
import time
from collections.abc import Callable

import structlog

LONGEST_LINE = 500
MOST_LINES = 100
"""Lines within a minute; what is beyond that is counted only."""

_MINUTE = 60.0
_CHUNK = 4096

_log = structlog.get_logger(__name__)


class Prints:
    """What one plugin prints."""

    def __init__(self, plugin: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._plugin = plugin
        self._monotonic = monotonic
        self._since = monotonic()
        self._lines = 0
        self._begun = b""

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Log a stream until it ends."""
        while data := await stream.read(_CHUNK):
            self.heard(data)

    def heard(self, data: bytes) -> None:
        """Log the lines that are complete; a longer one than anybody reads is cut."""
        *lines, begun = (self._begun + data).split(b"\n")
        for line in lines:
            self.say(line.decode("utf-8", "replace").strip())
        self._begun = begun[:LONGEST_LINE]

    def say(self, line: str) -> None:
        """Log a line, unless there were too many."""
        now = self._monotonic()
        if now - self._since >= _MINUTE:
            if self._lines > MOST_LINES:
                _log.warning("plugin prints too much", plugin=self._plugin, dropped=self._lines - MOST_LINES)
            self._since, self._lines = now, 0
        self._lines += bool(line)
        if line and self._lines <= MOST_LINES:
            _log.info("plugin says", plugin=self._plugin, line=line[:LONGEST_LINE])
