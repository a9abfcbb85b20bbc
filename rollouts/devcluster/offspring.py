"""How do programs that we start end with us, whatever ends us?

The kernel tells a child of its parent's end (PR_SET_PDEATHSIG), so it needs no parent that is still able to say so: a
`kill -9` of the one ends the other, too. Elsewhere than on Linux a program ends when it is told to.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_SET_DEATH_SIGNAL = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def ending_with_us(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Return what a child runs before its program: its parent's end sends it this signal from then on."""
    parent = os.getpid()

    def prepare() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_SET_DEATH_SIGNAL, number)
        if os.getppid() != parent:  # it has ended in between, and nobody would tell
            os._exit(1)

    return prepare
