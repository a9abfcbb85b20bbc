"""What does someone who waits for a long build see?"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

PLAIN_INTERVAL = 15.0  # seconds between lines where nobody watches a terminal
LIVE_INTERVAL = 0.1


class Progress:
    """One line that is redrawn on a terminal; a plain line now and then elsewhere."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out if out is not None else sys.stderr
        self._live = self._out.isatty()
        self._began = time.monotonic()
        self._shown = 0.0
        self._title = ""
        self._total: int | None = None
        self._done = 0

    def say(self, text: str) -> None:
        """A sentence of its own."""
        self._erase()
        print(text, file=self._out, flush=True)

    @contextmanager
    def phase(self, title: str, total: int | None) -> Iterator[None]:
        """A stretch of work of at most `total` steps."""
        began = time.monotonic()
        self._title, self._total, self._done = title, total, 0
        yield
        self._erase()
        self.say(f"{title}: done in {_minutes(time.monotonic() - began)}")

    def step(self, what: str) -> None:
        """One more step of the phase."""
        self._done += 1
        now = time.monotonic()
        if now - self._shown < (LIVE_INTERVAL if self._live else PLAIN_INTERVAL):
            return
        self._shown = now
        of = f"{self._done}" if self._total is None else f"{self._done} of at most {self._total}"
        line = f"{_minutes(now - self._began)}  {self._title} {of}  {what}"
        if self._live:
            self._out.write(f"\r\x1b[2K{line[:110]}")
            self._out.flush()
        else:
            print(line, file=self._out, flush=True)

    def _erase(self) -> None:
        if self._live:
            self._out.write("\r\x1b[2K")


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
