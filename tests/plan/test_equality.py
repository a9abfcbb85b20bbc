"""Is a sparse template the same as what an API server makes of it, and another one another?

The live halves are what kube-apiserver 1.35 answers when it is sent the sparse ones. Three only mean the same in pods:
requests as high as their limits, service links, and default policies of spreading, which it leaves out in templates.
"""

from typing import Any

import pytest
import yaml

from rollouts.plan.equality import templates_equal

Json = dict[str, Any]

FILLED_CONTAINER = {
    "name": "web",
    "image": "web:1",
    "imagePullPolicy": "IfNotPresent",
    "resources": {},
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
}
FILLED_SPEC = {
    "dnsPolicy": "ClusterFirst",
    "restartPolicy": "Always",
    "schedulerName": "default-scheduler",
    "securityContext": {},
    "terminationGracePeriodSeconds": 30,
}


def sparse(place: str, part: Json) -> Json:
    """The template that a user writes, with `part` in its container, its spec, its volume or its metadata."""
    container: Json = {"name": "web", "image": "web:1"} | (part if place == "container" else {})
    spec: Json = {"containers": [container]} | (part if place == "spec" else {})
    if place == "volume":
        spec["volumes"] = [{"name": "v", **part}]
    return {"metadata": {"labels": {"app": "web"}} | (part if place == "metadata" else {}), "spec": spec}


def live(place: str, part: Json) -> Json:
    """The same as an API server hands it out in a ReplicaSet, whose hash label it has as well."""
    template = sparse(place, part)
    containers = [FILLED_CONTAINER | each for each in template["spec"]["containers"]]
    template["spec"] = FILLED_SPEC | template["spec"] | {"containers": containers}
    labels = template["metadata"]["labels"] | {"rollouts-pod-template-hash": "6b9b86fbd5"}
    template["metadata"] = template["metadata"] | {"labels": labels, "creationTimestamp": None}
    return template


def pairs(text: str) -> list[object]:
    """Turn a sentence and the two indented parts under it, `place` in front of the first, into parameters."""
    rows: list[tuple[str, list[str]]] = []
    for line in text.strip("\n").splitlines():
        indent = len(line) - len(line.lstrip())
        if indent == 0:
            rows.append((line, []))
        elif indent == 2:
            rows[-1][1].append(line.strip())
        else:
            rows[-1][1][-1] += f" {line.strip()}"
    return [
        pytest.param(
            first.partition(" ")[0], yaml.safe_load(first.partition(" ")[2]), yaml.safe_load(second), id=sentence
        )
        for sentence, (first, second) in rows
    ]


SAME = pairs("""
a port is TCP
  container {ports: [{containerPort: 80}, {containerPort: 53, protocol: UDP, name: dns}]}
  {ports: [{containerPort: 80, protocol: TCP}, {name: dns, containerPort: 53, protocol: UDP}]}
no port of the host is none, written as zero
  container {ports: [{containerPort: 80, hostPort: 0, hostIP: '', name: ''}]}
  {ports: [{containerPort: 80, protocol: TCP}]}
a probe by HTTP
  container {livenessProbe: {httpGet: {port: 80}}}
  {livenessProbe: {httpGet: {path: /, port: 80, scheme: HTTP}, timeoutSeconds: 1, periodSeconds: 10,
   successThreshold: 1, failureThreshold: 3}}
a probe by TCP with a period of its own
  container {readinessProbe: {tcpSocket: {port: http}, periodSeconds: 5}}
  {readinessProbe: {tcpSocket: {port: http}, timeoutSeconds: 1, periodSeconds: 5, successThreshold: 1, failureThreshold: 3}}
a probe by a command, delayed by nothing
  container {startupProbe: {exec: {command: ['true']}, initialDelaySeconds: 0}}
  {startupProbe: {exec: {command: ['true']}, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3}}
a probe by gRPC of the nameless service
  container {readinessProbe: {grpc: {port: 9000}, failureThreshold: 5}}
  {readinessProbe: {grpc: {port: 9000, service: ''}, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1,
   failureThreshold: 5}}
a probe by gRPC of a named service
  container {readinessProbe: {grpc: {port: 9000, service: web}, failureThreshold: 5}}
  {readinessProbe: {grpc: {port: 9000, service: web}, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1,
   failureThreshold: 5}}
a probe in which zero stands for the default
  container {readinessProbe: {tcpSocket: {port: 1}, timeoutSeconds: 0, periodSeconds: 0, successThreshold: 0, failureThreshold: 0}}
  {readinessProbe: {tcpSocket: {port: 1}, timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3}}
hooks by HTTP and by a command
  container {lifecycle: {preStop: {httpGet: {port: 80}}, postStart: {exec: {command: ['true']}}}}
  {lifecycle: {postStart: {exec: {command: ['true']}}, preStop: {httpGet: {path: /, port: 80, scheme: HTTP}}}}
a variable without a value is an empty one
  container {env: [{name: A, value: '1'}, {name: B}, {name: E, value: ''}]}
  {env: [{name: A, value: '1'}, {name: B}, {name: E}]}
a variable from a field of the pod
  container {env: [{name: IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]}
  {env: [{name: IP, valueFrom: {fieldRef: {apiVersion: v1, fieldPath: status.podIP}}}]}
a variable from a resource
  container {env: [{name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}]}
  {env: [{name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: '0'}}}]}
a variable from a resource in units
  container {env: [{name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1000m}}}]}
  {env: [{name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: '1'}}}]}
variables from config maps and secrets, prefixed by nothing
  container {envFrom: [{configMapRef: {name: c}}, {prefix: P_, secretRef: {name: s}}, {prefix: '', secretRef: {name: t}}]}
  {envFrom: [{configMapRef: {name: c}}, {prefix: P_, secretRef: {name: s}}, {secretRef: {name: t}}]}
quantities in other units
  container {resources: {limits: {cpu: 1000m, memory: 1024Mi}, requests: {cpu: '0.5', memory: 512Mi}}}
  {resources: {limits: {cpu: '1', memory: 1Gi}, requests: {cpu: 500m, memory: 512Mi}}}
quantities as numbers, and fractions of binary units
  container {resources: {limits: {cpu: 2, memory: 1073741824, ephemeral-storage: 1.5Gi}, requests: {cpu: 0.25}}}
  {resources: {limits: {cpu: '2', ephemeral-storage: 1536Mi, memory: '1073741824'}, requests: {cpu: 250m}}}
quantities with exponents, signs and bare fractions
  container {resources: {limits: {cpu: '.5', memory: 1e9}, requests: {memory: 1E6, cpu: '+0.10'}}}
  {resources: {limits: {cpu: 500m, memory: 1e9}, requests: {cpu: 100m, memory: 1E6}}}
quantities are rounded up to thousandths
  container {resources: {requests: {cpu: '0.0005'}}}
  {resources: {requests: {cpu: 1m}}}
limits alone
  container {resources: {limits: {cpu: 500m, nvidia.com/gpu: 1}}}
  {resources: {limits: {cpu: 500m, nvidia.com/gpu: '1'}}}
requests as in the pods of limits alone
  container {resources: {limits: {cpu: 500m}}}
  {resources: {limits: {cpu: 500m}, requests: {cpu: '0.5'}}}
resources of nothing
  container {resources: {limits: {}, requests: null}}
  {}
mounts, one writable and one by a path of nothing
  container {volumeMounts: [{name: v, mountPath: /v, readOnly: false}, {name: v, mountPath: /x, subPath: '', readOnly: true}]}
  {volumeMounts: [{name: v, mountPath: /v}, {name: v, mountPath: /x, readOnly: true}]}
a security context with flags that are off
  container {securityContext: {runAsUser: 0, privileged: false, capabilities: {drop: [ALL], add: []}}}
  {securityContext: {capabilities: {drop: [ALL]}, privileged: false, runAsUser: 0}}
nothing, written in many ways
  container {args: [], command: null, env: [], ports: [], volumeMounts: [], workingDir: '', stdin: false, tty: false, stdinOnce: false}
  {}
defaults, written as empty strings
  container {imagePullPolicy: '', terminationMessagePath: '', terminationMessagePolicy: ''}
  {}
a sidecar and an init container
  spec {initContainers: [{name: i, image: 'i:1', restartPolicy: Always}, {name: j, image: j}]}
  {initContainers: [{name: i, image: 'i:1', restartPolicy: Always, resources: {}, imagePullPolicy: IfNotPresent,
   terminationMessagePath: /dev/termination-log, terminationMessagePolicy: File}, {name: j, image: j, resources: {},
   imagePullPolicy: Always, terminationMessagePath: /dev/termination-log, terminationMessagePolicy: File}]}
a service account
  spec {serviceAccountName: web}
  {serviceAccountName: web, serviceAccount: web}
a service account by its old name
  spec {serviceAccount: web}
  {serviceAccountName: web, serviceAccount: web}
a service account by both names: the new one counts
  spec {serviceAccountName: web, serviceAccount: old}
  {serviceAccountName: web, serviceAccount: web}
namespaces of the host that aren't used
  spec {hostNetwork: false, hostPID: false, hostIPC: false, shareProcessNamespace: false}
  {shareProcessNamespace: false}
defaults of the spec, written as empty strings
  spec {dnsPolicy: '', restartPolicy: '', schedulerName: '', nodeName: '', hostname: '', priorityClassName: ''}
  {}
service links, left out
  spec {}
  {enableServiceLinks: true}
nothing in the spec, written in many ways
  spec {volumes: null, initContainers: [], tolerations: [], nodeSelector: {}, overhead: {}, imagePullSecrets: []}
  {}
a security context of the pod
  spec {securityContext: {fsGroup: 2000, supplementalGroups: [], sysctls: null}}
  {securityContext: {fsGroup: 2000}}
pods spread over zones by default policies
  spec {topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway, nodeTaintsPolicy: Ignore}]}
  {topologySpreadConstraints: [{maxSkew: 1, topologyKey: z, whenUnsatisfiable: ScheduleAnyway, nodeAffinityPolicy: Honor}]}
tolerations
  spec {tolerations: [{key: k, operator: Exists, effect: NoExecute, tolerationSeconds: 0}, {key: a, value: '', operator: Equal}]}
  {tolerations: [{key: k, operator: Exists, effect: NoExecute, tolerationSeconds: 0}, {key: a, operator: Equal}]}
affinity with selectors of nothing
  spec {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: h, namespaces: [],
   labelSelector: {matchLabels: {}, matchExpressions: []}}], preferredDuringSchedulingIgnoredDuringExecution: []}}}
  {affinity: {podAntiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: h, labelSelector: {}}]}}}
a label of nodes without a value, and the null that stands for it
  spec {nodeSelector: {spot: null}}
  {nodeSelector: {spot: ''}}
resources of the pod, and its overhead
  spec {resources: {limits: {cpu: 1000m}}, overhead: {cpu: '0.1'}}
  {resources: {limits: {cpu: '1'}}, overhead: {cpu: 100m}}
a volume of nothing is an empty directory
  volume {}
  {emptyDir: {}}
an empty directory with a limit
  volume {emptyDir: {sizeLimit: 1024Mi, medium: ''}}
  {emptyDir: {sizeLimit: 1Gi}}
a secret
  volume {secret: {secretName: s, items: []}}
  {secret: {secretName: s, defaultMode: 420}}
a config map
  volume {configMap: {name: c, optional: false}}
  {configMap: {name: c, defaultMode: 420, optional: false}}
a path of the host
  volume {hostPath: {path: /x}}
  {hostPath: {path: /x, type: ''}}
the pod's own data as files
  volume {downwardAPI: {items: [{path: l, fieldRef: {fieldPath: metadata.labels}}, {path: c, resourceFieldRef: {resource: limits.cpu}}]}}
  {downwardAPI: {items: [{path: l, fieldRef: {apiVersion: v1, fieldPath: metadata.labels}}, {path: c,
   resourceFieldRef: {resource: limits.cpu, divisor: '0'}}], defaultMode: 420}}
a projected token and its neighbours
  volume {projected: {sources: [{serviceAccountToken: {path: t}}, {secret: {name: s, items: []}}, {downwardAPI: {items: [
   {path: n, fieldRef: {fieldPath: metadata.name}}, {path: m, resourceFieldRef: {resource: limits.memory, divisor: 1024Ki}}]}}]}}
  {projected: {sources: [{serviceAccountToken: {expirationSeconds: 3600, path: t}}, {secret: {name: s}}, {downwardAPI: {items: [
   {path: n, fieldRef: {apiVersion: v1, fieldPath: metadata.name}},
   {path: m, resourceFieldRef: {resource: limits.memory, divisor: 1Mi}}]}}], defaultMode: 420}}
a claim made for the pod
  volume {ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}}}}
  {ephemeral: {volumeClaimTemplate: {metadata: {}, spec: {accessModes: [ReadWriteOnce],
   resources: {requests: {storage: 1Gi}}, volumeMode: Filesystem}}}}
a driver with an attribute without a value
  volume {csi: {driver: d, readOnly: false, volumeAttributes: {a: ''}}}
  {csi: {driver: d, readOnly: false, volumeAttributes: {a: ''}}}
a share that may be written
  volume {nfs: {server: s, path: /p, readOnly: false}}
  {nfs: {server: s, path: /p}}
iSCSI by default interface
  volume {iscsi: {targetPortal: 1.2.3.4, iqn: 'iqn.2001-04.com.example:storage', chapAuthSession: false}}
  {iscsi: {targetPortal: 1.2.3.4, iqn: 'iqn.2001-04.com.example:storage', lun: 0, iscsiInterface: default}}
Ceph by default pool
  volume {rbd: {monitors: [m], image: i}}
  {rbd: {monitors: [m], image: i, pool: rbd, user: admin, keyring: /etc/ceph/keyring}}
an Azure disk
  volume {azureDisk: {diskName: d, diskURI: 'https://blob/x.vhd'}}
  {azureDisk: {diskName: d, diskURI: 'https://blob/x.vhd', cachingMode: ReadWrite, fsType: ext4, readOnly: false, kind: Shared}}
partition zero is none
  volume {gcePersistentDisk: {pdName: d, partition: 0}}
  {gcePersistentDisk: {pdName: d}}
an image as a volume
  volume {image: {reference: r}}
  {image: {reference: r, pullPolicy: Always}}
names and times in a template's metadata
  metadata {name: x, namespace: y, creationTimestamp: null, annotations: {}, finalizers: []}
  {name: x, namespace: y}
labels and annotations without values
  metadata {labels: {app: web, x: ''}, annotations: {a: ''}}
  {labels: {app: web, x: ''}, annotations: {a: ''}}
""")  # noqa: E501 # the two halves are read one above the other


@pytest.mark.parametrize(("place", "user_writes", "server_answers"), SAME)
def test_the_same_pods(place: str, user_writes: Json, server_answers: Json) -> None:
    assert templates_equal(sparse(place, user_writes), live(place, server_answers))
    assert templates_equal(live(place, server_answers), sparse(place, user_writes))


# what | place | one | another
OTHER = [
    pytest.param(place.strip(), yaml.safe_load(one), yaml.safe_load(another), id=what.strip())
    for what, place, one, another in (
        line.split(" | ")
        for line in """
image | container | {image: 'web:1'} | {image: 'web:2'}
the same image by another registry | container | {image: 'a/web:1'} | {image: 'b/web:1'}
name | container | {} | {name: app}
port | container | {ports: [{containerPort: 80}]} | {ports: [{containerPort: 81}]}
protocol | container | {ports: [{containerPort: 80}]} | {ports: [{containerPort: 80, protocol: UDP}]}
port of the host | container | {ports: [{containerPort: 80}]} | {ports: [{containerPort: 80, hostPort: 80}]}
probe or none | container | {livenessProbe: {tcpSocket: {port: 1}}} | {}
probe's period | container | {livenessProbe: {tcpSocket: {port: 1}}} | {livenessProbe: {tcpSocket: {port: 1}, periodSeconds: 9}}
probe's path | container | {livenessProbe: {httpGet: {port: 1}}} | {livenessProbe: {httpGet: {port: 1, path: /ok}}}
probe's scheme | container | {livenessProbe: {httpGet: {port: 1}}} | {livenessProbe: {httpGet: {port: 1, scheme: HTTPS}}}
probe's service | container | {readinessProbe: {grpc: {port: 1, service: a}}} | {readinessProbe: {grpc: {port: 1, service: b}}}
probe's kind | container | {readinessProbe: {grpc: {port: 1}}} | {readinessProbe: {tcpSocket: {port: 1}}}
which probe | container | {readinessProbe: {tcpSocket: {port: 1}}} | {livenessProbe: {tcpSocket: {port: 1}}}
hook's path | container | {lifecycle: {preStop: {httpGet: {port: 1}}}} | {lifecycle: {preStop: {httpGet: {port: 1, path: /x}}}}
variable | container | {env: [{name: A, value: '1'}]} | {env: [{name: A, value: '2'}]}
variable or none | container | {env: [{name: A}]} | {}
variables' order | container | {env: [{name: A}, {name: B}]} | {env: [{name: B}, {name: A}]}
field of the pod | container | {env: [{name: A, valueFrom: {fieldRef: {fieldPath: a}}}]} | {env: [{name: A, valueFrom: {fieldRef: {fieldPath: b}}}]}
divisor | container | {env: [{name: A, valueFrom: {resourceFieldRef: {resource: r}}}]} | {env: [{name: A, valueFrom: {resourceFieldRef: {resource: r, divisor: 1m}}}]}
prefix | container | {envFrom: [{secretRef: {name: s}}]} | {envFrom: [{prefix: P_, secretRef: {name: s}}]}
an empty argument | container | {args: [a]} | {args: [a, '']}
limit | container | {resources: {limits: {cpu: 1}}} | {resources: {limits: {cpu: 1001m}}}
units of a thousand and of 1024 | container | {resources: {limits: {memory: 1G}}} | {resources: {limits: {memory: 1Gi}}}
limit or none | container | {resources: {limits: {cpu: 1}, requests: {cpu: 1}}} | {resources: {requests: {cpu: 1}}}
request under its limit | container | {resources: {limits: {cpu: 1}}} | {resources: {limits: {cpu: 1}, requests: {cpu: 0.5}}}
mount | container | {volumeMounts: [{name: v, mountPath: /a}]} | {volumeMounts: [{name: v, mountPath: /b}]}
a mount to read only | container | {volumeMounts: [{name: v, mountPath: /a}]} | {volumeMounts: [{name: v, mountPath: /a, readOnly: true}]}
root or not said | container | {securityContext: {runAsUser: 0}} | {securityContext: {}}
escalation off or not said | container | {securityContext: {allowPrivilegeEscalation: false}} | {securityContext: {}}
capability | container | {securityContext: {capabilities: {drop: [ALL]}}} | {securityContext: {capabilities: {}}}
terminal | container | {tty: true} | {tty: false}
pull policy | container | {} | {imagePullPolicy: Always}
termination message | container | {} | {terminationMessagePolicy: FallbackToLogsOnError}
sidecar or init container | spec | {initContainers: [{name: i, image: i, restartPolicy: Always}]} | {initContainers: [{name: i, image: i}]}
service account | spec | {serviceAccountName: a} | {serviceAccountName: b}
service account or none | spec | {serviceAccount: a} | {}
no time to end | spec | {terminationGracePeriodSeconds: 0} | {}
the host's network | spec | {hostNetwork: true} | {hostNetwork: false}
service links | spec | {enableServiceLinks: false} | {}
token not mounted | spec | {automountServiceAccountToken: false} | {}
DNS policy | spec | {dnsPolicy: Default} | {}
group of files | spec | {securityContext: {fsGroup: 0}} | {}
a label of nodes without a value | spec | {nodeSelector: {spot: ''}} | {}
label of nodes | spec | {nodeSelector: {spot: 'true'}} | {nodeSelector: {spot: 'false'}}
how long it is tolerated | spec | {tolerations: [{key: k, tolerationSeconds: 0}]} | {tolerations: [{key: k}]}
nobody selected or everybody | spec | {topologySpreadConstraints: [{topologyKey: z}]} | {topologySpreadConstraints: [{topologyKey: z, labelSelector: {}}]}
taints of nodes | spec | {topologySpreadConstraints: [{topologyKey: z}]} | {topologySpreadConstraints: [{topologyKey: z, nodeTaintsPolicy: Honor}]}
overhead | spec | {overhead: {cpu: 1}} | {overhead: {cpu: 2}}
resources of the pod | spec | {resources: {limits: {cpu: 1}}} | {resources: {limits: {cpu: 2}}}
a field from the future | spec | {fieldOfTheFuture: 0} | {fieldOfTheFuture: 1}
a pod's deadline | spec | {activeDeadlineSeconds: 60} | {}
directory in memory | volume | {} | {emptyDir: {medium: Memory}}
directory's limit | volume | {emptyDir: {sizeLimit: 1G}} | {emptyDir: {sizeLimit: 1Gi}}
kind of volume | volume | {secret: {secretName: a}} | {configMap: {name: a}}
files of no mode | volume | {secret: {secretName: a}} | {secret: {secretName: a, defaultMode: 0}}
optional or not | volume | {configMap: {name: a}} | {configMap: {name: a, optional: true}}
type of path | volume | {hostPath: {path: /x}} | {hostPath: {path: /x, type: Directory}}
claim to read only | volume | {persistentVolumeClaim: {claimName: p}} | {persistentVolumeClaim: {claimName: p, readOnly: true}}
token's life | volume | {projected: {sources: [{serviceAccountToken: {path: t}}]}} | {projected: {sources: [{serviceAccountToken: {path: t, expirationSeconds: 7200}}]}}
no storage class or the default one | volume | {ephemeral: {volumeClaimTemplate: {spec: {storageClassName: ''}}}} | {ephemeral: {volumeClaimTemplate: {spec: {}}}}
size of a claim | volume | {ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 1G}}}}}} | {ephemeral: {volumeClaimTemplate: {spec: {resources: {requests: {storage: 1Gi}}}}}}
driver's attribute | volume | {csi: {driver: d, volumeAttributes: {a: ''}}} | {csi: {driver: d}}
partition | volume | {gcePersistentDisk: {pdName: d, partition: 1}} | {gcePersistentDisk: {pdName: d}}
pull policy of a volume | volume | {image: {reference: 'r:1'}} | {image: {reference: 'r:1', pullPolicy: Always}}
label | metadata | {labels: {app: web, x: '1'}} | {labels: {app: web, x: '2'}}
label without a value | metadata | {labels: {app: web, x: ''}} | {}
annotation | metadata | {annotations: {a: '1'}} | {annotations: {a: '2'}}
annotation without a value | metadata | {annotations: {a: ''}} | {}
finalizer | metadata | {finalizers: [example.com/x]} | {}
""".strip().splitlines()  # noqa: E501 # a pair that differs is read side by side
    )
]


@pytest.mark.parametrize(("place", "one", "another"), OTHER)
def test_other_pods(place: str, one: Json, another: Json) -> None:
    assert not templates_equal(sparse(place, one), live(place, another))
    assert not templates_equal(live(place, one), sparse(place, another))
    assert templates_equal(sparse(place, one), live(place, one))


DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("web", "Always"),
        ("web:latest", "Always"),
        ("web:1.0", "IfNotPresent"),
        ("registry:5000/web", "Always"),
        ("registry:5000/web:1.0", "IfNotPresent"),
        ("registry:5000/web:latest", "Always"),
        ("docker.io/library/web", "Always"),
        (f"web@{DIGEST}", "IfNotPresent"),
        (f"web:1.0@{DIGEST}", "IfNotPresent"),
        (f"web:latest@{DIGEST}", "Always"),
        (f"registry:5000/web@{DIGEST}", "IfNotPresent"),
    ],
)
def test_an_image_tells_its_pull_policy(image: str, policy: str) -> None:
    other = {"Always": "IfNotPresent", "IfNotPresent": "Always"}[policy]
    written = sparse("container", {"image": image})
    assert templates_equal(written, live("container", {"image": image, "imagePullPolicy": policy}))
    assert not templates_equal(written, live("container", {"image": image, "imagePullPolicy": other}))


RUBBISH: list[Any] = [None, "x", 0, 1.5, True, [], ["x"], [None], {}, {"x": None}, [{}], [[{}]]]
QUANTITIES = ["sNaN", "NaN", "Infinity", "1e999999999", "1e99E", "1_000", "", "m", "-", "9" * 60, "\u0661"]


@pytest.mark.parametrize("rubbish", RUBBISH, ids=repr)
def test_rubbish_is_compared_as_it_is(rubbish: Any) -> None:
    container = ("ports", "env", "resources", "livenessProbe", "lifecycle", "volumeMounts", "securityContext", "image")
    spec = ("containers", "initContainers", "volumes", "topologySpreadConstraints", "resources", "overhead")
    volume = ("secret", "emptyDir", "projected", "downwardAPI", "ephemeral", "iscsi", "image", "hostPath")
    fields = {"container": container, "spec": spec, "volume": volume, "metadata": ("labels", "annotations")}
    templates = [sparse(place, {field: rubbish}) for place, names in fields.items() for field in names]
    for template in [*templates, {"spec": rubbish}, {"metadata": rubbish}]:
        assert templates_equal(template, template)


@pytest.mark.parametrize("text", QUANTITIES)
def test_what_is_no_quantity_is_compared_as_text(text: str) -> None:
    written = sparse("container", {"resources": {"limits": {"cpu": text}}})
    assert templates_equal(written, live("container", {"resources": {"limits": {"cpu": text}}}))
    assert not templates_equal(written, sparse("container", {"resources": {"limits": {"cpu": "1"}}}))


def test_comparing_leaves_the_templates_alone() -> None:
    written = sparse("container", {"resources": {"limits": {"cpu": "1000m"}}, "ports": [{"containerPort": 80}]})
    before = repr(written)
    templates_equal(written, written)
    assert repr(written) == before
