"""Who sends the requests of metric providers? The only part of measuring that does I/O, bounded in time and size."""

from rollouts.fetch.session import open_session
from rollouts.fetch.settings import settings_from
from rollouts.fetch.take import stop, take

__all__ = ["open_session", "settings_from", "stop", "take"]
