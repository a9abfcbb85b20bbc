"""How many examples does a property test try? 100 fixed ones; HYPOTHESIS_PROFILE=nightly tries 10,000 random ones.

WORLDS sets another number for those. A failure prints the line that brings its example back (`@reproduce_failure`), and
the option that brings back the whole run (`--hypothesis-seed`). A busy machine fails none of them: how long an example
takes doesn't count.
"""

import asyncio
import os

import pytest
from hypothesis import HealthCheck, settings

# Without a loop of its own in the main thread, Python 3.11 makes one when asked, which nobody would close.
asyncio.set_event_loop(None)

_SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much)

settings.register_profile(
    "default",
    max_examples=100,
    derandomize=True,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.register_profile(
    "nightly",
    max_examples=int(os.environ.get("WORLDS", "10000")),
    deadline=None,
    print_blob=True,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the proxies that the environment names."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
