"""How is a request to AWS signed, and with which credentials?

Signature version 4, as in https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
The credentials are the controller's own: from its environment, or from the token of its service account
(AssumeRoleWithWebIdentity), which STS exchanges within the flow.
"""

import hmac
import re
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from rollouts.measure.answers import accepted, at, json_of
from rollouts.ports.provider import Asked, MeasurementError, Request, Response

_ALGORITHM = "AWS4-HMAC-SHA256"
_AWS_HOST = re.compile(
    r"(?:^|\.)(?P<service>[a-z0-9-]+)\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?$"
)
_SIGNING_NAMES = {"aps-workspaces": "aps"}
_SESSION = "rollouts-measurement"


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


def credentials_for(
    asked: Asked, region: str, role_arn: str | None = None
) -> Generator[Request, Response, Credentials]:
    """Return the controller's credentials, or those of a role that it assumes. Raises MeasurementError."""
    settings = asked.settings
    if settings.get("AWS_ACCESS_KEY_ID") and settings.get("AWS_SECRET_ACCESS_KEY"):
        own = Credentials(
            settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"], settings.get("AWS_SESSION_TOKEN", "")
        )
    elif settings.get("AWS_WEB_IDENTITY_TOKEN") and settings.get("AWS_ROLE_ARN"):
        own = yield from _by_web_identity(settings, region)
    else:
        raise MeasurementError(
            "the controller has no credentials for AWS: give its service account a role (AWS_ROLE_ARN and "
            "AWS_WEB_IDENTITY_TOKEN_FILE), or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in its environment"
        )
    if not role_arn:
        return own
    request = _sts(region, {"Action": "AssumeRole", "RoleArn": role_arn, "RoleSessionName": _SESSION}, own.key_id)
    return (yield from _exchanged(sign(request, own, region, "sts", asked.now), "AssumeRole"))


def _by_web_identity(settings: Mapping[str, str], region: str) -> Generator[Request, Response, Credentials]:
    action = "AssumeRoleWithWebIdentity"
    parameters = {
        "Action": action,
        "RoleArn": settings["AWS_ROLE_ARN"],
        "RoleSessionName": settings.get("AWS_ROLE_SESSION_NAME") or _SESSION,
        "WebIdentityToken": settings["AWS_WEB_IDENTITY_TOKEN"],
    }
    return (yield from _exchanged(_sts(region, parameters, "web identity"), action))


def _sts(region: str, parameters: Mapping[str, str], identity: str) -> Request:
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return Request(
        "POST",
        f"https://sts.{region}.{domain}/",
        {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        urlencode({**parameters, "Version": "2011-06-15"}).encode(),
        reuse=f"{identity} {parameters['RoleArn']} {parameters['RoleSessionName']}",
    )


def _exchanged(request: Request, action: str) -> Generator[Request, Response, Credentials]:
    response = yield request
    answer = json_of(request, accepted(request, response))
    found = at(answer, f"{action}Response", f"{action}Result", "Credentials")
    key_id, secret, token = (at(found, name) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    if not (isinstance(key_id, str) and isinstance(secret, str) and isinstance(token, str)):
        raise MeasurementError(f"STS answered {action} without credentials")
    return Credentials(key_id, secret, token)


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
