"""How do tests give a program of ours a terminal, and read what arrives there?"""

import codecs
import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def started(*words: str, **environ: str) -> Iterator[tuple["subprocess.Popen[bytes]", Iterator[str]]]:
    """Start a command with a terminal for its output; give it, and what arrives until it closes its side."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "rollouts.cli.main", *words],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.STDOUT,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", **environ},
    ) as process:
        os.close(theirs)
        try:
            yield process, _arriving(ours)
        except BaseException:
            process.kill()
            raise
    os.close(ours)


def _arriving(terminal: int) -> Iterator[str]:
    """Yield what a program writes, until it closes its side."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side has closed a terminal
            return
        if not chunk:
            return
        yield decoder.decode(chunk)
