"""An embedded Kubernetes control plane: an API server in memory, and workloads that act out their pods."""

from rollouts.devcluster.cluster import DevCluster

__all__ = ["DevCluster"]
