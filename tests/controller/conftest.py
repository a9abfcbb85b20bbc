from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def fresh_logs() -> Iterator[None]:
    """Undo what a test has configured: its stderr is gone when it ends."""
    yield
    structlog.reset_defaults()
