"""How do we see on a quick machine what a slow one makes of a test? `E2E_SLOW=looks,pods,programs` makes it slow.

`looks`: time passes between what a test waited for and what it does next, so a state that doesn't last is over.
`pods`: pods need seconds to start and to end, so counts that nobody waits for are wrong.
`programs`: the controllers, ours and Kubernetes', stand still for most of each second, so what is asserted at once
isn't there yet.
"""

import asyncio
import os
import signal
import threading
import time
from subprocess import Popen
from typing import Literal

Kind = Literal["looks", "pods", "programs"]
LOOK = 1.5  # seconds
POD_START, POD_END = 1.0, 3.0
STANDS, RUNS = 0.8, 0.2


def is_on(kind: Kind) -> bool:
    """Tell whether this is to be slow."""
    return kind in os.environ.get("E2E_SLOW", "").split(",")


async def look() -> None:
    """Let time pass after a look, as on a slow machine."""
    if is_on("looks"):
        await asyncio.sleep(LOOK)


def hold_up(child: Popen[bytes]) -> None:
    """Let a program of ours stand still again and again, until it ends."""
    threading.Thread(target=_hold_up, args=(child,), daemon=True).start()


def _hold_up(child: Popen[bytes]) -> None:
    while child.poll() is None:
        child.send_signal(signal.SIGSTOP)
        time.sleep(STANDS)
        child.send_signal(signal.SIGCONT)
        time.sleep(RUNS)
