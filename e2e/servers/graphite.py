"""How is a real Graphite run beside the tests? Carbon takes points in, the web application answers."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from e2e import arguments, ports
from e2e.program import Program
from e2e.serving import answers
from e2e.waiting import eventually

START_DEADLINE = 180.0
SERVE = Path(__file__).with_name("graphite_web.py")

_CARBON = """\
[cache]
LOCAL_DATA_DIR = {at}/storage/whisper/
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {line}
PICKLE_RECEIVER_PORT = 0
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {query}
MAX_CREATES_PER_MINUTE = inf
CARBON_METRIC_INTERVAL = 0
"""
_SCHEMAS = "[all]\npattern = .*\nretentions = 1s:1h\n"
_SETTINGS = """\
SECRET_KEY = "a secret of the tests"
ALLOWED_HOSTS = ["127.0.0.1"]
TIME_ZONE = "UTC"
CARBONLINK_HOSTS = ["127.0.0.1:{query}"]
"""


class Graphite:
    """Both programs, keeping one value a second for an hour, on loopback."""

    def __init__(self, home: Path, directory: Path) -> None:
        self._line, query, web = ports.free(3)
        self.url = f"http://127.0.0.1:{web}"
        at = directory / "graphite"
        for part in ("conf", "storage/whisper", "storage/log/webapp"):
            (at / part).mkdir(parents=True)
        (at / "conf" / "carbon.conf").write_text(_CARBON.format(at=at, line=self._line, query=query))
        (at / "conf" / "storage-schemas.conf").write_text(_SCHEMAS)
        (at / "local_settings.py").write_text(_SETTINGS.format(query=query))
        environment = {
            **arguments.environment(),
            "GRAPHITE_ROOT": str(at),
            "GRAPHITE_STORAGE_DIR": str(at / "storage"),
            "GRAPHITE_CONF_DIR": str(at / "conf"),
            "GRAPHITE_SETTINGS_MODULE": "local_settings",
            "PYTHONPATH": str(at),
            "PYTHONWARNINGS": "ignore",
        }
        python = home / "environment" / "bin" / "python"
        carbon: Sequence[str | Path] = [
            python,
            python.with_name("carbon-cache.py"),
            f"--config={at / 'conf' / 'carbon.conf'}",
            f"--logdir={at / 'storage' / 'log'}",
            f"--pidfile={at / 'carbon.pid'}",
            "--debug",  # in the foreground, its log where ours is
            "start",
        ]
        self.carbon = Program("carbon", carbon, directory / "carbon.log", environment)
        self.web = Program("graphite", [python, "-P", SERVE, str(web)], directory / "graphite.log", environment)

    @property
    def programs(self) -> tuple[Program, Program]:
        """What runs."""
        return self.carbon, self.web

    async def open(self) -> Self:
        """Start it; ready when it returns."""
        for program in self.programs:
            program.start()
        await answers(self.web, f"{self.url}/render?target=none&format=json", START_DEADLINE)
        await eventually(self._takes_points, within=START_DEADLINE, what="carbon takes points")
        return self

    async def _takes_points(self) -> bool:
        self.carbon.require_running()
        try:
            await self.write("ready")
        except ConnectionError:
            return False
        return True

    async def write(self, name: str, *points: tuple[float, float]) -> None:
        """Send values of moments, in seconds since 1970; they can be read at once."""
        _, writer = await asyncio.open_connection("127.0.0.1", self._line)
        writer.writelines(f"{name} {value} {int(moment)}\n".encode() for value, moment in points)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def stop(self) -> None:
        """End both."""
        for program in self.programs:
            await program.stop()
