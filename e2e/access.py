"""How does a client of the control plane reach it, and as whom?"""

import json
import ssl
from dataclasses import dataclass
from pathlib import Path

import aiohttp


@dataclass(frozen=True)
class Access:
    """An address, the certificate to check it by, and a bearer token."""

    server: str
    authority: Path
    token: str

    def session(self, connections: int = 100) -> aiohttp.ClientSession:
        """An HTTP client; watches and long lists bring their own timeouts."""
        return aiohttp.ClientSession(
            self.server,
            headers={"Authorization": f"Bearer {self.token}", "Accept": "application/json"},
            connector=aiohttp.TCPConnector(
                ssl=ssl.create_default_context(cafile=str(self.authority)), limit=connections
            ),
            timeout=aiohttp.ClientTimeout(total=120),
        )

    def write_kubeconfig(self, path: Path, namespace: str = "default") -> Path:
        """Write a kubeconfig for kubectl and the controller."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "e2e",
            "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "e2e", "namespace": namespace}}],
            "clusters": [
                {"name": "e2e", "cluster": {"server": self.server, "certificate-authority": str(self.authority)}}
            ],
            "users": [{"name": "e2e", "user": {"token": self.token}}],
        }
        path.write_text(json.dumps(config, indent=2))
        path.chmod(0o600)
        return path
