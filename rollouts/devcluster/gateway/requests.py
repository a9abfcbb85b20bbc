"""What is a rule of an HTTPRoute in Envoy's words? Which requests it means, and what becomes of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rollouts.api.durations import parse_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rollouts.devcluster.objects import Object

Json = dict[str, Any]

_MILLION = 1_000_000
_REDIRECTS = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}
_EVERYTHING: Object = {"path": {"type": "PathPrefix", "value": "/"}}


def matches_of(rule: Object) -> list[Object]:
    """Return a rule's matches, written out where none means everything."""
    return rule.get("matches") or [_EVERYTHING]


def precedence(match: Object) -> tuple[Any, ...]:
    """Return the key by which matches are tried: the most particular first, as the Gateway API has it."""
    path = match.get("path") or _EVERYTHING["path"]
    order = ("Exact", "RegularExpression", "PathPrefix").index(path.get("type", "PathPrefix"))
    headers, query = match.get("headers") or (), match.get("queryParams") or ()
    return order, -len(path.get("value", "/")), "method" not in match, -len(headers), -len(query)


def matching(match: Object) -> Json:
    """Return Envoy's RouteMatch."""
    headers = [{"name": each["name"], "string_match": _text(each)} for each in match.get("headers") or ()]
    if "method" in match:
        headers.append({"name": ":method", "string_match": {"exact": match["method"]}})
    query = [{"name": each["name"], "string_match": _text(each)} for each in match.get("queryParams") or ()]
    return {**_path(match.get("path") or {}), "headers": headers, "query_parameters": query}


def _path(path: Object) -> Json:
    value = path.get("value", "/")
    match path.get("type", "PathPrefix"):
        case "Exact":
            return {"path": value}
        case "RegularExpression":
            return {"safe_regex": {"regex": value}}
    prefix = value.rstrip("/")
    return {"path_separated_prefix": prefix} if prefix else {"prefix": "/"}


def _text(match: Object) -> Json:
    if match.get("type", "Exact") == "RegularExpression":
        return {"safe_regex": {"regex": match["value"]}}
    return {"exact": match["value"]}


def modified(filters: Iterable[Object]) -> Json:
    """Return what header filters do, for a route or for one backend of it."""
    found: Json = {}
    for each in filters:
        for kind, side in (("requestHeaderModifier", "request"), ("responseHeaderModifier", "response")):
            modifier = each.get(kind) or {}
            added = [_header(value, "OVERWRITE_IF_EXISTS_OR_ADD") for value in modifier.get("set") or ()]
            added += [_header(value, "APPEND_IF_EXISTS_OR_ADD") for value in modifier.get("add") or ()]
            found.setdefault(f"{side}_headers_to_add", []).extend(added)
            found.setdefault(f"{side}_headers_to_remove", []).extend(modifier.get("remove") or ())
    return {name: values for name, values in found.items() if values}


def _header(value: Object, how: str) -> Json:
    """Return a header; a percent sign begins a variable to Envoy."""
    text = value["value"].replace("%", "%%")
    return {"header": {"key": value["name"], "value": text}, "append_action": how}


def acted(rule: Object, match: Object, cluster: Callable[[Object], str], has: Callable[[Object], bool]) -> Json:
    """Return what becomes of a request: a redirect, an answer of our own, or backends by their weights.

    `cluster` names what stands for a backend, `has` tells whether it is there.
    """
    filters = rule.get("filters") or []
    redirect = next((each["requestRedirect"] for each in filters if each["type"] == "RequestRedirect"), None)
    if redirect is not None:
        return {"redirect": _redirect(redirect, match)}
    backends = [each for each in rule.get("backendRefs") or () if each.get("weight", 1)]
    if not any(has(each) for each in backends):
        return {"direct_response": {"status": 500, "body": {"inline_string": "no backend takes requests\n"}}}
    weighted = [
        {"name": cluster(each), "weight": each.get("weight", 1), **modified(each.get("filters") or ())}
        for each in backends
    ]
    action: Json = {
        "weighted_clusters": {"clusters": weighted},
        "cluster_not_found_response_code": "INTERNAL_SERVER_ERROR",  # a share without a backend is answered by 500
        "request_mirror_policies": [
            _mirror(each["requestMirror"], cluster) for each in filters if each["type"] == "RequestMirror"
        ],
        # what has not left Envoy yet may be sent again, to another pod
        "retry_policy": {"retry_on": "connect-failure,refused-stream", "num_retries": 2},
    }
    for each in filters:
        if each["type"] == "URLRewrite":
            action |= _rewrite(each["urlRewrite"], match)
    timeout = (rule.get("timeouts") or {}).get("request")
    if timeout:
        action["timeout"] = f"{parse_duration(timeout).total_seconds():g}s"
    return {"route": action}


def _mirror(mirror: Object, cluster: Callable[[Object], str]) -> Json:
    fraction = mirror.get("fraction") or {"numerator": mirror.get("percent", 100), "denominator": 100}
    share = min(1.0, fraction["numerator"] / fraction.get("denominator", 100))
    return {
        "cluster": cluster(mirror["backendRef"]),
        "runtime_fraction": {"default_value": {"numerator": round(share * _MILLION), "denominator": "MILLION"}},
        "disable_shadow_host_suffix_append": True,
    }


def _redirect(redirect: Object, match: Object) -> Json:
    found: Json = {"response_code": _REDIRECTS[redirect.get("statusCode", 302)]}
    names = {"scheme": "scheme_redirect", "hostname": "host_redirect", "port": "port_redirect"}
    found |= {ours: redirect[theirs] for theirs, ours in names.items() if theirs in redirect}
    path = redirect.get("path") or {}
    if "replaceFullPath" in path:
        found["path_redirect"] = path["replaceFullPath"]
    elif "replacePrefixMatch" in path:
        found |= _other_prefix(match, path["replacePrefixMatch"])
    return found


def _rewrite(rewrite: Object, match: Object) -> Json:
    found: Json = {"host_rewrite_literal": rewrite["hostname"]} if "hostname" in rewrite else {}
    path = rewrite.get("path") or {}
    if "replaceFullPath" in path:
        found["regex_rewrite"] = {"pattern": {"regex": "^[^?]*"}, "substitution": path["replaceFullPath"]}
    elif "replacePrefixMatch" in path:
        found |= _other_prefix(match, path["replacePrefixMatch"])
    return found


def _other_prefix(match: Object, replacement: str) -> Json:
    """Return how a prefix becomes another; no slash is lost, and none is doubled."""
    prefix = (match.get("path") or {}).get("value", "/").rstrip("/")
    pattern = f"^{re.escape(prefix)}/?"
    return {"regex_rewrite": {"pattern": {"regex": pattern}, "substitution": replacement.rstrip("/") + "/"}}
