"""How does traffic reach canary and stable? One model per router that the API knows by name."""

from pydantic import Field

from rollouts.api.affinity import SessionAffinity
from rollouts.api.base import Bool, Int32, Int64, Model
from rollouts.api.gateway_api import GatewayApiTrafficRouting, GatewayRequestRoute
from rollouts.api.meta import OpenObject, Strings

DEFAULT_MAX_TRAFFIC_WEIGHT = 100


class IstioTcpRoute(Model):
    """TCP routes of an Istio VirtualService, found by their port."""

    port: Int64 | None = Field(
        None, description="The port that the routes match. Without it, every TCP route of the VirtualService is meant."
    )


class IstioTlsRoute(Model):
    """TLS routes of an Istio VirtualService, found by port and host names."""

    port: Int64 | None = Field(None, description="The port that the routes match.")
    sni_hosts: tuple[str, ...] = Field(
        (), description="The server names (SNI) that the routes match; all of them must be the same."
    )


class IstioVirtualService(Model):
    """An Istio VirtualService whose route weights are set."""

    name: str = Field(description="Name of the VirtualService; append .namespace if it lives in another one.")
    routes: tuple[str, ...] = Field(
        (), description="Names of the HTTP routes to manage. May be left out if only one is there, or has no name."
    )
    tls_routes: tuple[IstioTlsRoute, ...] = Field(
        (), description="The TLS routes to manage. May be left out if there is only one."
    )
    tcp_routes: tuple[IstioTcpRoute, ...] = Field(
        (), description="The TCP routes to manage. May be left out if there is only one."
    )


class IstioDestinationRule(Model):
    """An Istio DestinationRule whose subsets are pointed at canary and stable pods."""

    name: str = Field(description="Name of the DestinationRule; append .namespace if it lives in another one.")
    canary_subset_name: str = Field(description="Subset that selects the canary pods. Its labels are kept up to date.")
    stable_subset_name: str = Field(description="Subset that selects the stable pods. Its labels are kept up to date.")
    additional_subset_names: tuple[str, ...] = Field(
        (), description="Further subsets, for the pods of experiments that take part in the traffic."
    )


class IstioTrafficRouting(Model):
    """Traffic by Istio: exactly one of virtualService and virtualServices is set."""

    virtual_service: IstioVirtualService | None = Field(
        None, description="The VirtualService to manage, if there is one only."
    )
    virtual_services: tuple[IstioVirtualService, ...] = Field(
        (), description="The VirtualServices to manage, if there are several."
    )
    destination_rule: IstioDestinationRule | None = Field(
        None, description="Split by subsets of this DestinationRule instead of by two Services."
    )


class NginxTrafficRouting(Model):
    """Traffic by Ingress NGINX: exactly one of stableIngress and stableIngresses is set."""

    annotation_prefix: str | None = Field(
        None, description="Prefix of the controller's annotations. Defaults to nginx.ingress.kubernetes.io."
    )
    stable_ingress: str | None = Field(
        None, description="The Ingress that sends traffic to the stable Service. A canary copy of it is created."
    )
    stable_ingresses: tuple[str, ...] = Field((), description="The same for several Ingresses.")
    additional_ingress_annotations: Strings | None = Field(
        None, description="Annotations for the canary Ingress. The prefix is put before each key."
    )
    canary_ingress_annotations: Strings | None = Field(
        None, description="Annotations for the canary Ingress, with keys taken as they are."
    )


class StickinessConfig(Model):
    """Whether an AWS load balancer keeps a client with the target group it first met."""

    enabled: Bool = Field(description="Turns stickiness on.")
    duration_seconds: Int64 = Field(description="How long a client stays, in seconds, from 1 to 604800 (a week).")


class AlbTrafficRouting(Model):
    """Traffic by the AWS Load Balancer Controller: exactly one of ingress and ingresses is set."""

    ingress: str | None = Field(None, description="The Ingress whose forward action is managed.")
    ingresses: tuple[str, ...] = Field((), description="The same for several Ingresses.")
    service_port: Int32 = Field(description="The port of the Services that the load balancer forwards to.")
    root_service: str | None = Field(
        None, description="The Service that the Ingress names as its backend. Defaults to the stable Service."
    )
    annotation_prefix: str | None = Field(
        None, description="Prefix of the controller's annotations. Defaults to alb.ingress.kubernetes.io."
    )
    stickiness_config: StickinessConfig | None = Field(
        None, description="Keeps a client with canary or stable once it has met one of them."
    )


class SmiTrafficRouting(Model):
    """Traffic by a Service Mesh Interface TrafficSplit."""

    root_service: str | None = Field(
        None, description="The Service that clients address. Defaults to the stable Service."
    )
    traffic_split_name: str | None = Field(
        None, description="Name of the TrafficSplit to create. Defaults to the name of the Rollout."
    )


class AmbassadorTrafficRouting(Model):
    """Traffic by Emissary-ingress, formerly Ambassador."""

    mappings: tuple[str, ...] = Field(
        description="Names of the stable Mappings. A canary copy of each is created; none may set a weight itself."
    )


class TraefikTrafficRouting(Model):
    """Traffic by Traefik."""

    weighted_traefik_service_name: str = Field(description="Name of the weighted TraefikService whose weights are set.")


class ApisixRoute(Model):
    """An ApisixRoute whose backend weights are set."""

    name: str = Field(description="Name of the ApisixRoute.")
    rules: tuple[str, ...] = Field(
        (), description="Names of the HTTP rules to manage. May be left out if the route has only one."
    )


class ApisixTrafficRouting(Model):
    """Traffic by Apache APISIX."""

    route: ApisixRoute | None = Field(None, description="The route to manage.")


class AppMeshVirtualService(Model):
    """An App Mesh VirtualService whose virtual router is managed."""

    name: str = Field(description="Name of the VirtualService.")
    routes: tuple[str, ...] = Field(
        (), description="Names of the routes to manage. May be left out if the virtual router has only one."
    )


class AppMeshVirtualNodeReference(Model):
    """A reference to an App Mesh VirtualNode."""

    name: str = Field(description="Name of the VirtualNode.")


class AppMeshVirtualNodeGroup(Model):
    """The App Mesh virtual nodes of canary and stable."""

    canary_virtual_node_ref: AppMeshVirtualNodeReference | None = Field(
        None, description="The virtual node that selects the canary pods."
    )
    stable_virtual_node_ref: AppMeshVirtualNodeReference | None = Field(
        None, description="The virtual node that selects the stable pods."
    )


class AppMeshTrafficRouting(Model):
    """Traffic by AWS App Mesh."""

    virtual_service: AppMeshVirtualService | None = Field(
        None, description="The VirtualService whose routes are weighted."
    )
    virtual_node_group: AppMeshVirtualNodeGroup | None = Field(
        None, description="The two virtual nodes that share the traffic."
    )


class LinkerdTrafficRouting(Model):
    """Traffic by Linkerd's own HTTPRoutes, which have a Service as their parent."""

    namespace: str | None = Field(None, description="Namespace of the routes. Defaults to the Rollout's.")
    http_routes: tuple[GatewayRequestRoute, ...] = Field(
        (), description="The HTTPRoutes (policy.linkerd.io) to manage. Name at least one."
    )


class ContourTrafficRouting(Model):
    """Traffic by Contour."""

    http_proxies: tuple[str, ...] = Field(
        (),
        description=(
            "Names of the HTTPProxies to manage. Weights are set in every route that names both Services or, if there"
            " is none, the stable one. Name at least one."
        ),
    )


class KumaTrafficRouting(Model):
    """Traffic by Kuma. Name at least one route."""

    namespace: str | None = Field(None, description="Namespace of the routes. Defaults to the Rollout's.")
    mesh_http_routes: tuple[str, ...] = Field(
        (), alias="meshHTTPRoutes", description="Names of the MeshHTTPRoutes to manage."
    )
    mesh_tcp_routes: tuple[str, ...] = Field(
        (), alias="meshTCPRoutes", description="Names of the MeshTCPRoutes to manage."
    )


class SkipperTrafficRouting(Model):
    """Traffic by Skipper."""

    ingresses: tuple[str, ...] = Field((), description="Names of the Ingresses that have both Services at each path.")
    route_groups: tuple[str, ...] = Field(
        (), description="Names of the RouteGroups with routes that have both Services as backends."
    )


class GlooTrafficRouting(Model):
    """Traffic by Gloo."""

    namespace: str | None = Field(None, description="Namespace of the RouteTables. Defaults to the Rollout's.")
    route_tables: tuple[str, ...] = Field((), description="Names of the RouteTables to manage. Name at least one.")


class ManagedRoute(Model):
    """A route that steps of the rollout create and remove."""

    name: str = Field(description="Name of the route, as setHeaderRoute and setMirrorRoute refer to it.")


class RouterChoice(Model):
    """Which traffic router there is. Set one."""

    istio: IstioTrafficRouting | None = Field(None, description="Split traffic by Istio.")
    nginx: NginxTrafficRouting | None = Field(None, description="Split traffic by Ingress NGINX.")
    alb: AlbTrafficRouting | None = Field(None, description="Split traffic by an AWS Application Load Balancer.")
    smi: SmiTrafficRouting | None = Field(None, description="Split traffic by a Service Mesh Interface TrafficSplit.")
    ambassador: AmbassadorTrafficRouting | None = Field(
        None, description="Split traffic by Emissary-ingress (Ambassador)."
    )
    app_mesh: AppMeshTrafficRouting | None = Field(None, description="Split traffic by AWS App Mesh.")
    traefik: TraefikTrafficRouting | None = Field(None, description="Split traffic by Traefik.")
    apisix: ApisixTrafficRouting | None = Field(None, description="Split traffic by Apache APISIX.")
    gateway_api: GatewayApiTrafficRouting | None = Field(
        None, alias="gatewayAPI", description="Split traffic by routes of the Gateway API."
    )
    linkerd: LinkerdTrafficRouting | None = Field(None, description="Split traffic by Linkerd's own HTTPRoutes.")
    contour: ContourTrafficRouting | None = Field(None, description="Split traffic by HTTPProxies of Contour.")
    kuma: KumaTrafficRouting | None = Field(None, description="Split traffic by routes of Kuma.")
    skipper: SkipperTrafficRouting | None = Field(None, description="Split traffic by Ingresses of Skipper.")
    gloo: GlooTrafficRouting | None = Field(None, description="Split traffic by RouteTables of Gloo.")
    plugins: OpenObject | None = Field(
        None, description="Split traffic by plugins: their configurations, each under the name of its plugin."
    )


class TrafficRouting(RouterChoice):
    """How traffic is split between canary and stable. Set one router."""

    managed_routes: tuple[ManagedRoute, ...] = Field(
        (),
        description=(
            "Routes that belong to this Rollout, the most important first. All are removed when the rollout ends."
        ),
    )
    max_traffic_weight: Int32 | None = Field(
        None, description="The weight that means all traffic, where the router can hold it. Defaults to 100."
    )
    session_affinity: SessionAffinity | None = Field(
        None, description="Keeps clients on the side that they were given, by a cookie, while an update goes on."
    )

    @property
    def max_traffic_weight_or_default(self) -> int:
        """The weight that means all traffic."""
        return DEFAULT_MAX_TRAFFIC_WEIGHT if self.max_traffic_weight is None else self.max_traffic_weight


class PreviewMirror(Model):
    """Copies of requests for the preview, whose answers nobody sees."""

    percentage: Int32 | None = Field(
        None, description="The share of the active Service's requests in percent that is copied. Defaults to 100."
    )


class PreviewRouting(RouterChoice):
    """What a traffic router does for the preview. Set one router that can mirror requests."""

    mirror: PreviewMirror = Field(
        description="Copies requests of the active Service to the preview Service until the new version is promoted."
    )
