"""How is a real Prometheus run beside the tests, open or behind a password and a certificate?"""

import json
from pathlib import Path
from typing import Self

from e2e import arguments, ports
from e2e.program import Program
from e2e.serving import answers


class Prometheus(Program):
    """Scrapes a target every second into a directory of its own, on loopback."""

    def __init__(
        self,
        program: Path,
        directory: Path,
        target: str | None = None,
        *,
        users: dict[str, str] | None = None,
        certificate: tuple[Path, Path] | None = None,
        name: str = "prometheus",
    ) -> None:
        """`users` are names and bcrypt hashes; the certificate is in one file, its key in another."""
        (port,) = ports.free(1)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
        at = directory / name
        at.mkdir()
        jobs = [{"job_name": "shop", "static_configs": [{"targets": [target]}]}] if target else []
        scraping = {"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs}
        # JSON is YAML.
        (at / "prometheus.json").write_text(json.dumps(scraping))
        (at / "web.json").write_text(json.dumps(_web(users, certificate)))
        line: list[str | Path] = [
            program / "prometheus",
            f"--config.file={at / 'prometheus.json'}",
            f"--web.config.file={at / 'web.json'}",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--storage.tsdb.path={at / 'data'}",
            "--log.level=warn",
        ]
        super().__init__(name, line, directory / f"{name}.log", arguments.environment())

    async def open(self) -> Self:
        """Start it (again); ready when it returns."""
        self.start()
        # Whoever needs a password to get in is ready when the door is there.
        await answers(self, f"{self.url}/-/ready")
        return self


def _web(users: dict[str, str] | None, certificate: tuple[Path, Path] | None) -> dict[str, object]:
    settings: dict[str, object] = {"basic_auth_users": users} if users else {}
    if certificate:
        settings["tls_server_config"] = {"cert_file": str(certificate[0]), "key_file": str(certificate[1])}
    return settings
