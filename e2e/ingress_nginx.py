"""How do Ingresses come to be real? The controller of Ingress NGINX follows them and tells Debian's nginx.

Its image has both, nginx with many modules. Here the controller finds a root directory like that of its image: what it
takes for granted is in it, and nothing of this machine changes.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from e2e.data_plane import DataPlane
from e2e.kubectl import Kubectl
from e2e.program import Program
from e2e.waiting import eventually

Json = dict[str, Any]
OURS = Path(__file__).parent / "dataplanes" / "ingress-nginx" / "lua"
NAMESPACE, POD, CLASS = "ingress-nginx", "controller", "nginx"
HTTP, HTTPS, DEFAULT, STATUS, STREAM, HEALTH = 8081, 8444, 8181, 10246, 10247, 10254  # in a network of their own
ENTRY = f"127.0.0.1:{HTTP}"  # where requests go in
PROGRAMS, DEBIAN = "/opt/ingress-nginx", "/opt/debian"  # in the root directory
# Lua libraries that Debian has under another name, and those that are in no package: nothing that is played needs them.
RENAMED = {"resty.cookie": "nginx.cookie", "resty.dns.resolver": "nginx.dns.resolver"}
ABSENT = ("resty.chash", "resty.global_throttle", "resty.http", "resty.ipmatcher", "resty.lock")
DIRECTORIES = (
    *("dev", "proc", "usr", "run", "sys/fs/cgroup", "tmp/nginx", "var/log/nginx", "var/lib/nginx"),
    *("etc/ingress-controller/telemetry", PROGRAMS, DEBIAN),
)
MODULES = ("ndk_http_module", "ngx_http_lua_module", "ngx_http_headers_more_filter_module")
# In a mount namespace of its own, which ends with the controller, as nginx does: it is the first of its processes.
ENTER = """
set -e
root=$1 debian=$2 programs=$3 plane=$4
shift 4
mount --rbind /dev "$root/dev"
mount --rbind /usr "$root/usr"
mount -t proc proc "$root/proc"
mount --bind "$debian" "$root$DEBIAN"
mount --bind "$programs" "$root$PROGRAMS"
mount --bind "$plane" "$root$plane"
exec chroot "$root" /usr/bin/env "$@"
"""
OBJECTS: list[Json] = [
    {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": CLASS},
        "spec": {"controller": "k8s.io/ingress-nginx"},
    },
    {  # The controller asks which one it is.
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": POD, "namespace": NAMESPACE},
        "spec": {"containers": [{"name": "controller", "image": "ingress-nginx"}]},
    },
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": POD, "namespace": NAMESPACE},
        "data": {
            "worker-processes": "2",  # as everywhere there is more than one, and each hears of a change by itself
            "reuse-port": "false",
            "use-http2": "false",  # Debian's nginx is older than the directive
            "disable-access-log": "true",
            "main-snippet": "\n".join(
                ["user root;", *(f"load_module {DEBIAN}/usr/lib/nginx/modules/{name}.so;" for name in MODULES)]
            ),
            # Debian 12 has no Lua for streams. The controller tells of them, though there are none: this listens.
            "http-snippet": f"server {{ listen 127.0.0.1:{STREAM}; return 204; }}",
        },
    },
]


async def run(data: DataPlane, home: Path, debian: Path) -> None:
    """Start it in the network of a data plane, for all Ingresses of its class."""
    admin = Kubectl(data.plane.admin_kubeconfig, NAMESPACE)
    await admin.apply(OBJECTS)
    root = data.directory / "ingress-nginx"
    _furnish(root, home / "nginx", data.plane.directory)
    program = await _start(data, root, home, debian)

    async def is_healthy() -> bool:
        program.require_running()
        assert await data.read(f"http://127.0.0.1:{HEALTH}/healthz") == "ok"
        return True

    await eventually(is_healthy, what="the controller of Ingress NGINX is healthy")


async def canary(data: DataPlane, service: str) -> Json | None:
    """What nginx knows about a canary's share, by its Service `namespace-name-port`; None when it knows no such."""
    told: list[Json] = json.loads(await data.read(f"http://127.0.0.1:{STATUS}/configuration/backends"))
    return next((each.get("trafficShapingPolicy", {}) for each in told if each["name"] == service), None)


async def _start(data: DataPlane, root: Path, home: Path, debian: Path) -> Program:
    flags = [
        f"--kubeconfig={data.plane.admin_kubeconfig}",
        f"--configmap={NAMESPACE}/{POD}",
        f"--http-port={HTTP}",
        f"--https-port={HTTPS}",
        f"--default-server-port={DEFAULT}",
        f"--status-port={STATUS}",
        f"--stream-port={STREAM}",
        f"--healthz-port={HEALTH}",
        # A change each 2 seconds, not 3.3. More than one a second is too many: its Lua would miss the second of two.
        "--sync-rate-limit=0.5",
        "--profiling=false",
        "--enable-metrics=false",
        "--update-status=false",
        "--disable-leader-election",
    ]
    script = ENTER.replace("$DEBIAN", DEBIAN).replace("$PROGRAMS", PROGRAMS)
    return await data.start(
        "ingress-nginx",
        *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
        *("sh", "-c", script, "enter", root, debian, home, data.plane.directory),
        *(f"{name}={value}" for name, value in _environment(debian).items()),
        f"{PROGRAMS}/nginx-ingress-controller",
        *flags,
    )


def _environment(debian: Path) -> dict[str, str]:
    """What its image tells both: which one they are, and where libraries and Lua are found."""
    libraries = [*debian.glob("usr/lib/*-linux-gnu"), *debian.glob("lib/*-linux-gnu")]
    return {
        "PATH": f"{DEBIAN}/usr/sbin",
        "POD_NAME": POD,
        "POD_NAMESPACE": NAMESPACE,
        "NGINX_BINARY": f"{DEBIAN}/usr/sbin/nginx",
        "LD_LIBRARY_PATH": ":".join(f"{DEBIAN}/{each.relative_to(debian)}" for each in libraries),
        "LUA_PATH": f"{DEBIAN}/usr/share/lua/5.1/?.lua;;",
        "LUA_CPATH": f"{DEBIAN}/{libraries[0].relative_to(debian)}/lua/5.1/?.so;;",
    }


def _furnish(root: Path, image: Path, plane: Path) -> None:
    """Put into a root directory what the image has, made of the controller's own files."""
    for name in (*DIRECTORIES, str(plane)):
        (root / name.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib64"):  # of /usr
        (root / name).symlink_to(f"usr/{name}")
    (root / "var/log/nginx/error.log").symlink_to("/dev/stderr")
    etc = root / "etc"
    nginx = etc / "nginx"
    shutil.copytree(image, nginx)
    shutil.copytree(OURS, nginx / "lua", dirs_exist_ok=True)
    for name in (*RENAMED, *ABSENT):
        what = f'"{RENAMED[name]}"' if name in RENAMED else f'"absent")("{name}"'
        path = nginx / "lua" / f"{name.replace('.', '/')}.lua"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"return require({what})\n")
    (nginx / "mime.types").write_text("types { text/html html; }\n")
    template = nginx / "template" / "nginx.tmpl"
    template.write_text(_without_streams(template.read_text()))
    (etc / "passwd").write_text("root:x:0:0::/:\nnobody:x:65534:65534::/:\n")
    (etc / "group").write_text("root:x:0:\nnogroup:x:65534:\n")
    (etc / "resolv.conf").write_text("nameserver 127.0.0.1\n")


def _without_streams(template: str) -> str:
    """Cut out the block of TCP and UDP streams: it is in Lua, which Debian 12 has for HTTP only."""
    before, _, rest = template.partition("\nstream {\n")
    streams, _, after = rest.partition("\n}\n")
    assert streams, "the template isn't as it was: look for the block of streams"
    return f"{before}\n{after}"
