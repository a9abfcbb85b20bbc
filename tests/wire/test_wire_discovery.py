"""What does the server say of itself, of events and of leases?"""

from tests.wire.objects import config
from tests.wire.server import Client, Json

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


async def test_the_server_is_well_and_tells_its_version(api: Client) -> None:
    for path in ("/healthz", "/livez", "/readyz"):
        assert (await api.send("GET", path)).body == "ok"
    version = (await api.send("GET", "/version")).object
    assert version["major"] == "1"
    assert version["gitVersion"].startswith("v1.")


async def test_groups_are_discovered(api: Client) -> None:
    assert "v1" in (await api.send("GET", "/api")).object["versions"]
    groups = {each["name"]: each for each in (await api.send("GET", "/apis")).object["groups"]}
    assert {"apps", "argoproj.io", "coordination.k8s.io", "apiextensions.k8s.io"} <= set(groups)
    assert groups["argoproj.io"]["preferredVersion"]["groupVersion"] == "argoproj.io/v1alpha1"


async def test_rollouts_are_discovered(api: Client) -> None:
    found = (await api.send("GET", "/apis/argoproj.io/v1alpha1")).object
    assert found["kind"] == "APIResourceList"
    resources = {each["name"]: each for each in found["resources"]}
    rollouts = resources["rollouts"]
    assert (rollouts["kind"], rollouts["singularName"], rollouts["namespaced"]) == ("Rollout", "rollout", True)
    assert "ro" in rollouts["shortNames"]
    verbs = {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}
    assert verbs == set(rollouts["verbs"])
    assert set(resources["rollouts/status"]["verbs"]) == {"get", "patch", "update"}
    scale = resources["rollouts/scale"]
    assert (scale["group"], scale["version"], scale["kind"]) == ("autoscaling", "v1", "Scale")
    assert {"analysisruns", "analysistemplates", "clusteranalysistemplates", "experiments"} <= set(resources)
    assert resources["clusteranalysistemplates"]["namespaced"] is False


async def test_all_is_discovered_at_once(api: Client) -> None:
    found = (await api.send("GET", "/apis", accept=AGGREGATED)).object
    assert found["kind"] == "APIGroupDiscoveryList"
    (group,) = [each for each in found["items"] if each["metadata"]["name"] == "argoproj.io"]
    resources = {each["resource"]: each for each in group["versions"][0]["resources"]}
    assert resources["rollouts"]["responseKind"]["kind"] == "Rollout"
    subresources = {each["subresource"] for each in resources["rollouts"]["subresources"]}
    assert subresources == {"status", "scale"}


async def test_schemas_are_published(api: Client) -> None:
    index = (await api.send("GET", "/openapi/v3")).object["paths"]
    assert "apis/argoproj.io/v1alpha1" in index
    document = (await api.send("GET", "/openapi/v3/apis/argoproj.io/v1alpha1")).object
    (schema,) = [
        each
        for each in document["components"]["schemas"].values()
        if {"group": "argoproj.io", "kind": "Rollout", "version": "v1alpha1"}
        in each.get("x-kubernetes-group-version-kind", [])
    ]
    assert schema["properties"]["spec"]["properties"]["strategy"]["properties"]["canary"]["description"]


def event(about: Json, namespace: str, name: str = "one.1") -> Json:
    reference = {"kind": "ConfigMap", "name": about["metadata"]["name"], "namespace": namespace}
    times = {"firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z"}
    return {
        "metadata": {"name": name},
        "involvedObject": reference,
        "reason": "Tested",
        "message": "It was tested",
        "type": "Normal",
        "count": 1,
        "source": {"component": "tester"},
        **times,
    }


async def test_events_are_written_and_counted_up(api: Client) -> None:
    about = await api.made("configmaps", config())
    made = await api.made("events", event(about, api.namespace))
    assert made["involvedObject"]["name"] == "one"
    patched = (await api.patch("events", "one.1", {"count": 2, "lastTimestamp": "2026-01-01T00:01:00Z"})).object
    assert patched["count"] == 2
    assert await api.names("events", fieldSelector="involvedObject.name=one,reason=Tested") == ["one.1"]
    assert await api.names("events", fieldSelector="involvedObject.name=two") == []


async def test_events_lie_with_what_they_are_about(api: Client) -> None:
    about = await api.made("configmaps", config())
    answer = await api.create("events", event(about, "default"))
    answer.refused(422, "Invalid")
    assert "involvedObject.namespace" in [field for field, _ in answer.causes]


def lease(**spec: object) -> Json:
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "lock"}, "spec": spec}


async def test_a_lease_is_taken_by_one(api: Client) -> None:
    taken = {"holderIdentity": "a", "leaseDurationSeconds": 15, "leaseTransitions": 0}
    times = {"acquireTime": "2026-01-01T00:00:00.000000Z", "renewTime": "2026-01-01T00:00:00.123456Z"}
    made = await api.made("leases", lease(**taken, **times))
    assert made["spec"] == {**taken, **times}
    second = {**made, "spec": {**made["spec"], "holderIdentity": "b"}}
    assert (await api.put("leases", second)).code == 200
    third = {**made, "spec": {**made["spec"], "holderIdentity": "c"}}
    (await api.put("leases", third)).refused(409, "Conflict")
    assert (await api.read("leases", "lock"))["spec"]["holderIdentity"] == "b"


async def test_a_lease_lasts_a_while(api: Client) -> None:
    answer = await api.create("leases", lease(leaseDurationSeconds=0))
    answer.refused(422, "Invalid")
    assert answer.causes == [("spec.leaseDurationSeconds", "FieldValueInvalid")]
