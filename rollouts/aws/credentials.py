"""With which credentials is AWS asked?

They are the controller's own: from its environment, or from the token of its service account
(AssumeRoleWithWebIdentity), which STS exchanges within the flow.
"""

from collections.abc import Generator, Mapping
from typing import Any
from urllib.parse import urlencode

import orjson

from rollouts.aws.answers import refused
from rollouts.aws.signature import Credentials, address_of, sign
from rollouts.ports.provider import Asked, MeasurementError, Request, Response

_SESSION = "rollouts-controller"


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
    parameters = {"Action": "AssumeRole", "RoleArn": role_arn, "RoleSessionName": _SESSION}
    request = _sts(region, settings, parameters, own.key_id)
    return (yield from _exchanged(sign(request, own, region, "sts", asked.now), "AssumeRole"))


def _by_web_identity(settings: Mapping[str, str], region: str) -> Generator[Request, Response, Credentials]:
    action = "AssumeRoleWithWebIdentity"
    parameters = {
        "Action": action,
        "RoleArn": settings["AWS_ROLE_ARN"],
        "RoleSessionName": settings.get("AWS_ROLE_SESSION_NAME") or _SESSION,
        "WebIdentityToken": settings["AWS_WEB_IDENTITY_TOKEN"],
    }
    return (yield from _exchanged(_sts(region, settings, parameters, "web identity"), action))


def _sts(region: str, settings: Mapping[str, str], parameters: Mapping[str, str], identity: str) -> Request:
    return Request(
        "POST",
        address_of("sts", region, settings),
        {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
        urlencode({**parameters, "Version": "2011-06-15"}).encode(),
        reuse=f"{identity} {parameters['RoleArn']} {parameters['RoleSessionName']}",
    )


def _exchanged(request: Request, action: str) -> Generator[Request, Response, Credentials]:
    response = yield request
    if not 200 <= response.status < 300:
        raise MeasurementError(refused(request, response))
    try:
        found: Any = orjson.loads(response.body)
        for name in (f"{action}Response", f"{action}Result", "Credentials"):
            found = found[name]
        key_id, secret, token = (str(found[name]) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise MeasurementError(f"STS answered {action} without credentials") from None
    return Credentials(key_id, secret, token)
