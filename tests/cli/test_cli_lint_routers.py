"""Does `lint` look at the objects of traffic routers that are in the same files, and take others for granted?"""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from rollouts.cli.main import app
from rollouts.cli.route_remarks import route_remarks
from tests.docs.pages import ROOT, first_yaml

GATEWAY: list[dict[str, Any]] = list(yaml.safe_load_all(first_yaml(ROOT / "docs" / "how-to" / "gateway-api.md")))
PAGES = sorted((ROOT / "docs" / "how-to" / "routers").glob("*.md"))

FOUND_BY_ANOTHER = "VirtualRouter"
"""A VirtualService names it, not the Rollout."""


def lint(tmp_path: Path, documents: list[dict[str, Any]]) -> tuple[int, str]:
    file = tmp_path / "web.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    result = CliRunner().invoke(app, ["lint", "-f", str(file)])
    return result.exit_code, result.output


def gateway() -> list[dict[str, Any]]:
    return copy.deepcopy(GATEWAY)


def test_a_route_that_fits_is_no_problem(tmp_path: Path) -> None:
    assert lint(tmp_path, gateway())[0] == 0


def test_a_route_in_none_of_the_files_is_taken_for_granted(tmp_path: Path) -> None:
    code, text = lint(tmp_path, [each for each in gateway() if each["kind"] != "HTTPRoute"])
    assert (code, "HTTPRoute" in text) == (0, False)


def test_a_route_that_names_another_service_is_told(tmp_path: Path) -> None:
    documents = gateway()
    for each in documents:
        if each["kind"] == "HTTPRoute":
            each["spec"]["rules"][0]["backendRefs"][0]["name"] = "web"
    code, text = lint(tmp_path, documents)
    assert code == 1
    assert "spec.strategy.canary.trafficRouting.gatewayAPI" in text
    assert "web-stable" in text


def test_a_route_that_is_missing_among_others_is_noted(tmp_path: Path) -> None:
    documents = gateway()
    for each in documents:
        if each["kind"] == "HTTPRoute":
            each["metadata"]["name"] = "shop"
    code, text = lint(tmp_path, documents)
    assert code == 0, "it may be in the cluster"
    path = "spec.strategy.canary.trafficRouting.gatewayAPI.httpRoutes[0]"
    note = "HTTPRoute web is in none of these files, which have HTTPRoute shop: it is not checked"
    assert f'{path} = {{"name":"web"}}: {note}' in " ".join(text.split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_object_that_people_make_is_noted_where_others_of_its_kind_are(page: Path, tmp_path: Path) -> None:
    documents = list(yaml.safe_load_all(first_yaml(page)))
    rest = [each for each in documents if each["kind"] in {"Rollout", "Service"}]
    made = [each for each in documents if each not in rest]
    others = [{**each, "metadata": {**each["metadata"], "name": f"{each['metadata']['name']}-2"}} for each in made]
    code, text = lint(tmp_path, [*rest, *others])
    assert code == 0, text
    named = [f"{each['kind']} {each['metadata']['name']}" for each in made if each["kind"] != FOUND_BY_ANOTHER]
    assert [each for each in named if f"{each} is in none of these files" not in " ".join(text.split())] == []


def test_a_route_whose_name_begins_like_a_missing_one_is_told(tmp_path: Path) -> None:
    documents = gateway()
    for each in documents:
        if each["kind"] == "HTTPRoute":
            each["metadata"]["name"] = "web-2"
            each["spec"]["rules"][0]["backendRefs"][0]["name"] = "web"
        if each["kind"] == "Rollout":
            each["spec"]["strategy"]["canary"]["trafficRouting"]["gatewayAPI"]["httpRoutes"].append({"name": "web-2"})
    code, text = lint(tmp_path, documents)
    assert code == 1
    assert "no rule of HTTPRoute web-2 has the stable Service web-stable" in " ".join(text.split())


def test_a_route_elsewhere_is_another_one(tmp_path: Path) -> None:
    documents = gateway()
    for each in documents:
        if each["kind"] == "HTTPRoute":
            each["metadata"]["namespace"] = "shop"
            each["spec"]["rules"][0]["backendRefs"][0]["name"] = "web"
    assert lint(tmp_path, documents)[0] == 0


def test_a_header_route_that_none_of_the_routes_can_have_is_told(tmp_path: Path) -> None:
    documents = gateway()
    canary = next(each for each in documents if each["kind"] == "Rollout")["spec"]["strategy"]["canary"]
    canary["trafficRouting"] = {"gatewayAPI": {"tcpRoutes": [{"name": "web"}]}, "managedRoutes": [{"name": "beta"}]}
    asked = {"headerName": "X-Version", "headerValue": {"exact": "beta"}}
    canary["steps"].insert(0, {"setHeaderRoute": {"name": "beta", "match": [asked]}})
    code, text = lint(tmp_path, documents)
    assert code == 1
    assert "spec.strategy.canary.steps[0].setHeaderRoute: gatewayAPI names routes of connections only" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_routers_page_shows_is_sound(page: Path, tmp_path: Path) -> None:
    code, text = lint(tmp_path, list(yaml.safe_load_all(first_yaml(page))))
    assert code == 0, text


SCALE, HEADERS = {"setCanaryScale": {"replicas": 1}}, {"setHeaderRoute": {"name": "qa", "match": [{"headerName": "X"}]}}
MIRROR = {"setMirrorRoute": {"name": "qa", "match": [{"path": {"prefix": "/"}}]}}


@pytest.mark.parametrize(
    ("steps", "noted"),
    [
        ([HEADERS, {"pause": {}}], ["steps[0].setHeaderRoute: has no effect while step 2 lasts"]),
        ([MIRROR, {"setWeight": 0}, {"analysis": {}}], ["steps[0].setMirrorRoute: has no effect while step 3 lasts"]),
        ([SCALE, {"setCanaryScale": {"matchTrafficWeight": True}}, HEADERS, {"pause": {}}], ["while step 4 lasts"]),
        ([SCALE, HEADERS, {"pause": {}}], []),
        ([HEADERS, {"setWeight": 5}, {"pause": {}}], []),
        ([HEADERS, {"setHeaderRoute": {"name": "qa"}}, {"pause": {}}], []),
        (["pause"], []),
    ],
)
def test_a_managed_route_without_pods_for_it_is_noted(steps: list[Any], noted: list[str]) -> None:
    found = list(route_remarks({"spec": {"strategy": {"canary": {"steps": steps}}}}))
    assert [each for each in map(str, found) if not any(note in each for note in noted)] == []
    assert len(found) == len(noted)


def test_lint_notes_it(tmp_path: Path) -> None:
    documents = gateway()
    canary = next(each for each in documents if each["kind"] == "Rollout")["spec"]["strategy"]["canary"]
    canary["trafficRouting"]["managedRoutes"] = [{"name": "qa"}]
    match = [{"headerName": "X-QA", "headerValue": {"exact": "1"}}]
    canary["steps"] = [{"setHeaderRoute": {"name": "qa", "match": match}}, {"pause": {}}]
    code, text = lint(tmp_path, documents)
    assert code == 0, text
    assert "give it some by a setCanaryScale or setWeight before" in " ".join(text.split())


def test_sessions_that_outrank_the_weights_are_noted(tmp_path: Path) -> None:
    documents = gateway()
    route = next(each for each in documents if each["kind"] == "HTTPRoute")
    for each in route["spec"]["rules"]:
        each["sessionPersistence"] = {"type": "Cookie"}
    code, text = lint(tmp_path, documents)
    assert code == 0, text
    assert "a session outranks the weights, even a weight of 0" in " ".join(text.split())


def test_routes_without_sessions_are_not_noted(tmp_path: Path) -> None:
    assert "session" not in lint(tmp_path, gateway())[1]
