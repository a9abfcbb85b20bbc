"""Which real programs and files are needed, and where do they come from?"""

from pathlib import Path

from e2e.go_modules import GoModule
from e2e.packages import DebianPackage, DebianTree, PythonPackages
from e2e.recipe import Recipe

HERE = Path(__file__).parent

_KUBERNETES = "k8s.io/component-base/version"
_ARGO_ROLLOUTS = "github.com/argoproj/argo-rollouts"

CONTROL_PLANE = GoModule(
    title="Kubernetes",
    module=HERE / "controlplane",
    source="k8s.io/kubernetes",
    takes="about 8 minutes on two cores",
    programs={
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    },
    stamps=(
        f"{_KUBERNETES}.gitVersion={{version}}",
        f"{_KUBERNETES}.gitMajor={{major}}",
        f"{_KUBERNETES}.gitMinor={{minor}}",
        # Modules come from the read-only module cache, so the tree is clean by construction.
        f"{_KUBERNETES}.gitTreeState=clean",
    ),
)
ARGO_ROLLOUTS = GoModule(
    title="the kubectl plugin of Argo Rollouts",
    module=HERE / "clients" / "argo-rollouts",
    source=_ARGO_ROLLOUTS,
    takes="about 4 minutes on two cores",
    prefix="argo-rollouts-",
    programs={"kubectl-argo-rollouts": f"{_ARGO_ROLLOUTS}/cmd/kubectl-argo-rollouts"},
    stamps=(f"{_ARGO_ROLLOUTS}/utils/version.version={{number}}",),
)
COMPILED_PLUGINS = GoModule(
    title="plugins compiled for Argo Rollouts",
    module=HERE / "clients" / "argo-plugins",
    source=_ARGO_ROLLOUTS,
    takes="about a minute on two cores, once its kubectl plugin is built",
    prefix="compiled-plugins-",
    programs={
        "recorder": "./recorder",
        "types": "./types",
        **{
            name: f"{_ARGO_ROLLOUTS}/test/cmd/{name}"
            for name in ("trafficrouter-plugin-sample", "step-plugin-sample", "metrics-plugin-sample")
        },
    },
)
ARGO_CD = GoModule(
    title="the scripts of Argo CD",
    module=HERE / "clients" / "argo-cd",
    source="github.com/argoproj/argo-cd/v3",
    takes="a download of 56 MB",
    prefix="argo-cd-",
    folder="resource_customizations/argoproj.io",
)
ORACLE = GoModule(
    title="the real conditions' language and JSONPath",
    module=HERE / "oracle",
    source="github.com/expr-lang/expr",
    takes="half a minute",
    prefix="oracle-",
    programs={"oracle": "."},
)
PROMETHEUS = DebianPackage(
    title="Prometheus",
    takes="a download of 33 MB",
    prefix="prometheus-",
    package="prometheus",
    programs=("prometheus",),
)
INFLUXDB = GoModule(
    title="InfluxDB",
    module=HERE / "databases" / "influxdb",
    source="github.com/influxdata/influxdb",
    takes="about 2 minutes on two cores",
    prefix="influxdb-",
    programs={"influxd": "github.com/influxdata/influxdb/cmd/influxd"},
    stamps=("main.version={number}",),
)
GRAPHITE = PythonPackages(
    title="Graphite",
    requirements=HERE / "databases" / "graphite" / "requirements.txt",
    package="graphite-web",
    takes="half a minute",
    prefix="graphite-",
    environment={"GRAPHITE_NO_PREFIX": "True"},  # it would go to /opt
)
GATEWAY_API = GoModule(
    title="the definitions of the Gateway API",
    module=HERE / "crds" / "gateway-api",
    source="sigs.k8s.io/gateway-api",
    takes="a download of 3 MB",
    prefix="gateway-api-",
    folder="config/crd",
)
TRAEFIK_KINDS = GoModule(
    title="the definitions of Traefik's kinds",
    module=HERE / "crds" / "traefik",
    source="github.com/traefik/traefik/v3",
    takes="a download of 15 MB",
    prefix="traefik-kinds-",
    folder="docs/content/reference/dynamic-configuration",
)
APISIX_KINDS = GoModule(
    title="the definitions of APISIX's kinds",
    module=HERE / "crds" / "apisix",
    source="github.com/apache/apisix-ingress-controller",
    takes="a download of 3 MB",
    prefix="apisix-kinds-",
    folder="samples/deploy/crd",
)
EMISSARY_KINDS = GoModule(
    title="the definitions of Emissary-ingress' kinds",
    module=HERE / "crds" / "emissary",
    source="github.com/emissary-ingress/emissary/v3",
    takes="a download of 7 MB",
    prefix="emissary-kinds-",
    folder="manifests/emissary",
)
SMI_KINDS = GoModule(
    title="the definitions of the Service Mesh Interface",
    module=HERE / "crds" / "smi",
    source="github.com/servicemeshinterface/smi-sdk-go",
    takes="a download of 1 MB",
    prefix="smi-kinds-",
    folder="crds",
)
ISTIO_KINDS = GoModule(
    title="the definitions of Istio's kinds",
    module=HERE / "crds" / "istio",
    source="istio.io/api",
    takes="a download of 1 MB",
    prefix="istio-kinds-",
    folder="kubernetes",
)
CONTOUR_KINDS = GoModule(
    title="the definitions of Contour's kinds",
    module=HERE / "crds" / "contour",
    source="github.com/projectcontour/contour",
    takes="a download of 21 MB",
    prefix="contour-kinds-",
    folder="examples/contour",
)
CONTOUR = GoModule(
    title="Contour",
    module=HERE / "dataplanes" / "contour",
    source="github.com/projectcontour/contour",
    takes="about 3 minutes on two cores",
    prefix="contour-",
    programs={"contour": "github.com/projectcontour/contour/cmd/contour"},
)
INGRESS_NGINX = GoModule(
    title="the controller of Ingress NGINX",
    module=HERE / "dataplanes" / "ingress-nginx",
    source="k8s.io/ingress-nginx",
    takes="about 2 minutes on two cores",
    prefix="ingress-nginx-",
    programs={"nginx-ingress-controller": "k8s.io/ingress-nginx/cmd/nginx"},
    folder="rootfs/etc/nginx",  # what its image has beside it: a template, and what nginx does in Lua
)
NGINX = DebianTree(
    title="nginx with Lua",
    takes="a download of 2 MB",
    prefix="nginx-",
    packages=(
        "nginx",
        "nginx-common",
        "libnginx-mod-http-ndk",
        "libnginx-mod-http-lua",
        "libnginx-mod-http-headers-more-filter",
        "libluajit2-5.1-2",
        "libpcre3",
        "lua-resty-core",
        "lua-resty-lrucache",
        "lua-cjson",
        "lua-nginx-cookie",
        "lua-nginx-dns",
    ),
)
ALL: tuple[Recipe, ...] = (
    CONTROL_PLANE,
    ARGO_ROLLOUTS,
    COMPILED_PLUGINS,
    ARGO_CD,
    ORACLE,
    PROMETHEUS,
    INFLUXDB,
    GRAPHITE,
    GATEWAY_API,
    TRAEFIK_KINDS,
    APISIX_KINDS,
    EMISSARY_KINDS,
    SMI_KINDS,
    ISTIO_KINDS,
    CONTOUR_KINDS,
    CONTOUR,
    INGRESS_NGINX,
    NGINX,
)
