"""Which kinds are the objects of demos?"""

from rollouts.kube.resources import ANALYSIS_TEMPLATES, ROLLOUTS, SERVICES, Resource

_GROUP = "gateway.networking.k8s.io"

GATEWAYS = Resource(_GROUP, "v1", "gateways", "Gateway")
HTTP_ROUTES = Resource(_GROUP, "v1", "httproutes", "HTTPRoute")

BY_NAME = {each.kind: each for each in (ROLLOUTS, SERVICES, ANALYSIS_TEMPLATES, GATEWAYS, HTTP_ROUTES)}
