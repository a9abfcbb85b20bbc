"""Which compiled plugins does the cluster configure? The ConfigMap is read once: another one needs a restart."""

import asyncio
import contextlib

import structlog

from rollouts.compiled.config import CONFIG_MAP, Config, read_config
from rollouts.controller.options import Options
from rollouts.kube.client import Api
from rollouts.kube.errors import Forbidden, KubeError, NotFound
from rollouts.kube.resources import CONFIG_MAPS

RETRY = 5.0

_log = structlog.get_logger(__name__)


async def read_plugins(api: Api, options: Options, stop: asyncio.Event, *, retry: float = RETRY) -> Config:
    """Return what is configured; nothing where there is no such ConfigMap, or where we may not read it.

    Without an answer nobody knows which Rollouts can be carried out: it is asked for again until there is one.
    """
    while not stop.is_set():
        try:
            raw = await api.get(CONFIG_MAPS, options.home, CONFIG_MAP)
            return _told(read_config(raw.get("data") or {}))
        except NotFound:
            return Config()
        except Forbidden as error:
            _log.warning("no compiled plugins", config_map=f"{options.home}/{CONFIG_MAP}", reason=str(error))
            return Config()
        except KubeError as error:
            _log.warning("waiting", config_map=f"{options.home}/{CONFIG_MAP}", reason=str(error))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), retry)
    return Config()


def _told(config: Config) -> Config:
    for trouble in (*config.troubles, *config.broken.values()):
        _log.warning("plugin configuration", problem=trouble)
    for each in config.entries:
        _log.info("plugin configured", plugin=each.name, kind=each.kind.value, location=each.location)
    return config
