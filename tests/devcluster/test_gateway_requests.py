"""Is what a route says in Envoy's words what it says in its own?"""

from typing import Any

import pytest

from rollouts.devcluster.gateway.attachment import hostnames
from rollouts.devcluster.gateway.requests import acted, matches_of, matching, modified, precedence
from rollouts.devcluster.gateway.world import Listener
from rollouts.devcluster.network import Loopback

Json = dict[str, Any]

PREFIX = {"path": {"type": "PathPrefix", "value": "/a"}}


def action(rule: Json, match: Json = PREFIX) -> Json:
    return acted(rule, match, cluster=lambda each: each["name"], has=lambda each: each["name"] != "gone")


def test_matches_are_tried_from_the_most_particular_on() -> None:
    exact = {"path": {"type": "Exact", "value": "/a"}}
    longer = {"path": {"type": "PathPrefix", "value": "/a/b"}}
    with_method = {**PREFIX, "method": "GET"}
    with_header = {**PREFIX, "headers": [{"name": "x", "value": "y"}]}
    with_query = {**PREFIX, "queryParams": [{"name": "x", "value": "y"}]}
    (everything,) = matches_of({})
    wanted: list[Json] = [exact, longer, with_method, with_header, with_query, PREFIX, everything]
    backwards: list[Json] = wanted[::-1]
    assert sorted(backwards, key=precedence) == wanted


@pytest.mark.parametrize(
    ("match", "wanted"),
    [
        ({"path": {"type": "PathPrefix", "value": "/"}}, {"prefix": "/"}),
        ({"path": {"type": "PathPrefix", "value": "/a/"}}, {"path_separated_prefix": "/a"}),
        ({"path": {"type": "Exact", "value": "/a"}}, {"path": "/a"}),
        ({"path": {"type": "RegularExpression", "value": "/a.*"}}, {"safe_regex": {"regex": "/a.*"}}),
        ({}, {"prefix": "/"}),
    ],
)
def test_paths(match: Json, wanted: Json) -> None:
    assert matching(match) == {**wanted, "headers": [], "query_parameters": []}


def test_a_method_is_a_header_to_envoy() -> None:
    headers = [{"name": "Cookie", "type": "RegularExpression", "value": "a=.*"}]
    found = matching({"method": "POST", "headers": headers})["headers"]
    assert found == [
        {"name": "Cookie", "string_match": {"safe_regex": {"regex": "a=.*"}}},
        {"name": ":method", "string_match": {"exact": "POST"}},
    ]


def test_weights_are_those_of_the_route_and_none_is_one() -> None:
    rule = {"backendRefs": [{"name": "a", "weight": 90}, {"name": "b"}, {"name": "c", "weight": 0}]}
    clusters = action(rule)["route"]["weighted_clusters"]["clusters"]
    assert clusters == [{"name": "a", "weight": 90}, {"name": "b", "weight": 1}]


@pytest.mark.parametrize(
    ("mirror", "millionths"),
    [
        ({}, 1_000_000),
        ({"percent": 5}, 50_000),
        ({"fraction": {"numerator": 1, "denominator": 3}}, 333_333),
        ({"fraction": {"numerator": 7}}, 70_000),
        ({"percent": 0}, 0),
    ],
)
def test_a_mirror_gets_its_part(mirror: Json, millionths: int) -> None:
    filters = [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "b"}, **mirror}}]
    (policy,) = action({"backendRefs": [{"name": "a"}], "filters": filters})["route"]["request_mirror_policies"]
    share = {"numerator": millionths, "denominator": "MILLION"}
    assert (policy["cluster"], policy["runtime_fraction"]) == ("b", {"default_value": share})


def test_a_prefix_is_rewritten_without_losing_or_doubling_a_slash() -> None:
    rewrite = {"hostname": "b", "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/b/"}}
    rule = {"backendRefs": [{"name": "a"}], "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}]}
    found = action({**rule, "timeouts": {"request": "1m500ms"}})["route"]
    assert found["regex_rewrite"] == {"pattern": {"regex": "^/a/?"}, "substitution": "/b/"}
    assert (found["host_rewrite_literal"], found["timeout"]) == ("b", "60.5s")


def test_a_whole_path_is_replaced_and_the_query_stays() -> None:
    path = {"type": "ReplaceFullPath", "replaceFullPath": "/b"}
    rule = {"backendRefs": [{"name": "a"}], "filters": [{"type": "URLRewrite", "urlRewrite": {"path": path}}]}
    assert action(rule)["route"]["regex_rewrite"] == {"pattern": {"regex": "^[^?]*"}, "substitution": "/b"}
    redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "port": 443, "path": path}}
    assert action({"filters": [redirect]}) == {
        "redirect": {
            "response_code": "FOUND",
            "scheme_redirect": "https",
            "port_redirect": 443,
            "path_redirect": "/b",
        }
    }


@pytest.mark.parametrize("backends", [[], [{"name": "gone"}], [{"name": "a", "weight": 0}]])
def test_where_nobody_takes_requests_they_are_answered_by_500(backends: list[Json]) -> None:
    assert action({"backendRefs": backends})["direct_response"]["status"] == 500


def test_headers_are_set_added_and_taken_out_and_a_percent_sign_is_one() -> None:
    modifier = {"set": [{"name": "a", "value": "5%"}], "add": [{"name": "b", "value": "1"}], "remove": ["c"]}
    assert modified([{"type": "RequestHeaderModifier", "requestHeaderModifier": modifier}]) == {
        "request_headers_to_add": [
            {"header": {"key": "a", "value": "5%%"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"},
            {"header": {"key": "b", "value": "1"}, "append_action": "APPEND_IF_EXISTS_OR_ADD"},
        ],
        "request_headers_to_remove": ["c"],
    }


@pytest.mark.parametrize(
    ("listener", "asked", "wanted"),
    [
        ("", [], ["*"]),
        ("a.com", [], ["a.com"]),
        ("", ["a.com"], ["a.com"]),
        ("*.a.com", ["x.a.com", "b.com"], ["x.a.com"]),
        ("x.a.com", ["*.a.com"], ["x.a.com"]),
        ("x.a.com", ["b.com"], []),
    ],
)
def test_hostnames_are_those_of_both(listener: str, asked: list[str], wanted: list[str]) -> None:
    found = hostnames(Listener(("default", "public"), "http", 80, listener, takes_all_namespaces=False), _route(asked))
    assert found == wanted


def _route(names: list[str]) -> Json:
    return {"spec": {"hostnames": names}}


def test_addresses_are_of_the_cluster_and_free_for_long_before_they_are_used_again() -> None:
    network = Loopback(8001)
    first, second = network.take(), network.take()
    assert (network.own, first, second) == ("127.31.65.254", "127.31.65.2", "127.31.65.3")
    network.give_back(first)
    every = [network.take() for _ in range(251)]
    assert every[-1] == first
    assert len({second, *every}) == 252
    with pytest.raises(OSError, match="all 252 addresses are taken"):
        network.take()
