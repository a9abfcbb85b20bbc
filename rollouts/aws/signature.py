"""How is a request to AWS signed?

Signature version 4, as in https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlsplit

from rollouts.ports.provider import Request

_ALGORITHM = "AWS4-HMAC-SHA256"
_AWS_HOST = re.compile(
    r"(?:^|\.)(?P<service>[a-z0-9-]+)\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?$"
)
ENDPOINTS = {
    "elasticloadbalancing": "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2",
    "monitoring": "AWS_ENDPOINT_URL_CLOUDWATCH",
    "sts": "AWS_ENDPOINT_URL_STS",
}
_SIGNING_NAMES = {"aps-workspaces": "aps"}


@dataclass(frozen=True, slots=True)
class Credentials:
    """An access key, with a session's token where it is temporary."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def service_and_region(url: str) -> tuple[str, str] | None:
    """Return what a host of AWS says about its service and region; None where it is none of AWS'."""
    match = _AWS_HOST.search(urlsplit(url).hostname or "")
    return (_SIGNING_NAMES.get(match["service"], match["service"]), match["region"]) if match else None


def address_of(service: str, region: str, settings: Mapping[str, str]) -> str:
    """Return the URL of a service in a region, unless the environment names another one, as AWS' own tools read it."""
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    for name in (ENDPOINTS[service], "AWS_ENDPOINT_URL"):
        if settings.get(name):
            return settings[name].rstrip("/") + "/"
    return f"https://{service}.{region}.{domain}/"


def sign(request: Request, credentials: Credentials, region: str, service: str, now: datetime) -> Request:
    """Return the request with its signature."""
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    parts = urlsplit(request.url)
    headers = {**request.headers, "Host": parts.netloc.rpartition("@")[2], "X-Amz-Date": stamp}
    if credentials.token:
        headers["X-Amz-Security-Token"] = credentials.token
    lowered = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    names = ";".join(sorted(lowered))
    canonical = "\n".join(
        (
            request.method,
            quote(parts.path, safe="/-_.~") or "/",  # so that what is encoded already is so twice, as AWS wants it
            _canonical_query(parts.query),
            *(f"{name}:{lowered[name]}" for name in sorted(lowered)),
            "",
            names,
            sha256(request.body or b"").hexdigest(),
        )
    )
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, stamp, scope, sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{credentials.secret}".encode()
    for part in (stamp[:8], region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    headers["Authorization"] = (
        f"{_ALGORITHM} Credential={credentials.key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return replace(request, headers=headers)


def _canonical_query(query: str) -> str:
    pairs = (
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(query, keep_blank_values=True)
    )
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))
