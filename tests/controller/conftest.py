import asyncio
from collections.abc import Iterator

import pytest
import structlog

# Without a loop of its own in the main thread, Python 3.11 makes one when asked, which nobody would close.
asyncio.set_event_loop(None)


@pytest.fixture(autouse=True)
def fresh_logs() -> Iterator[None]:
    """Undo what a test has configured: its stderr is gone when it ends."""
    yield
    structlog.reset_defaults()
