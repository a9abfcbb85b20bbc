"""A small implementation of the Gateway API: HTTPRoutes of the dev cluster, carried out by an Envoy on loopback."""

from rollouts.devcluster.gateway.gateways import Gateways

__all__ = ["Gateways"]
