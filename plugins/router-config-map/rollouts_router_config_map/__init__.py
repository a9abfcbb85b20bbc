"""How does a proxy that reads its weights from a file follow a Rollout? A router that keeps them in a ConfigMap."""

from rollouts_router_config_map.router import ConfigMapRouter

__all__ = ["ConfigMapRouter"]
