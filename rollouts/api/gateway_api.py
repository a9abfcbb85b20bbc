"""How is traffic split by routes of the Gateway API, whatever implementation stands behind it?"""

from pydantic import Field

from rollouts.api.base import Bool, Model
from rollouts.api.meta import LabelSelector


class GatewayRoute(Model):
    """A route whose weights are set, or all routes with certain labels. Set one of name and selector."""

    name: str | None = Field(None, description="Name of the route.")
    selector: LabelSelector | None = Field(None, description="Labels of the routes, instead of a name.")
    namespace: str | None = Field(
        None,
        description="Namespace of the route. Defaults to the one of trafficRouting.gatewayAPI, then the Rollout's.",
    )
    rules: tuple[str, ...] = Field(
        (),
        description=(
            "Names of the rules to manage. Defaults to every rule that names both Services or, if there is none, the"
            " stable one."
        ),
    )


class GatewayRequestRoute(GatewayRoute):
    """A route of requests, which have headers: HTTP or gRPC."""

    use_header_routes: Bool | None = Field(
        None, description="Whether setHeaderRoute adds rules to this route. Defaults to true."
    )


class GatewayApiTrafficRouting(Model):
    """Traffic by routes of the Gateway API. Name at least one."""

    namespace: str | None = Field(None, description="Namespace of the routes. Defaults to the Rollout's.")
    http_routes: tuple[GatewayRequestRoute, ...] = Field((), description="The HTTPRoutes to manage.")
    grpc_routes: tuple[GatewayRequestRoute, ...] = Field((), description="The GRPCRoutes to manage.")
    tcp_routes: tuple[GatewayRoute, ...] = Field((), description="The TCPRoutes to manage.")
    tls_routes: tuple[GatewayRoute, ...] = Field((), description="The TLSRoutes to manage.")
    disable_in_progress_label: Bool | None = Field(
        None,
        description=(
            "True leaves out the label by which others, such as Argo CD, can tell that a route is just being changed."
        ),
    )
    in_progress_label_key: str | None = Field(
        None, description="Key of that label. Defaults to rollouts.argoproj.io/gatewayapi-canary."
    )
    in_progress_label_value: str | None = Field(None, description="Value of that label. Defaults to in-progress.")
