"""How do clients find the cluster? A kubeconfig for plain HTTP on loopback."""

from __future__ import annotations

import yaml

CONTEXT = "devcluster"


def kubeconfig(url: str) -> str:
    """Return a kubeconfig."""
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": CONTEXT,
            "clusters": [{"name": CONTEXT, "cluster": {"server": url}}],
            "users": [{"name": CONTEXT, "user": {}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": "default"}}],
            "preferences": {},
        },
        sort_keys=False,
    )
