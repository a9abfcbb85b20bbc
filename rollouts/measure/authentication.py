"""How does a request prove who sends it? By user name, by a token that is asked for first, or by a signature of AWS."""

from base64 import b64encode
from collections.abc import Generator, Iterator
from dataclasses import replace
from hashlib import sha256
from urllib.parse import quote_plus, urlencode

from rollouts.api.providers import Authentication, OAuth2, Sigv4
from rollouts.aws.credentials import credentials_for
from rollouts.aws.signature import service_and_region, sign
from rollouts.measure.addresses import address_problems, checked
from rollouts.measure.answers import at, json_of
from rollouts.ports.provider import Asked, MeasurementError, Request, Response
from rollouts.ports.refusal import host_of

# A template that anybody may write must not reach the rest of AWS with the identity of the controller.
_SIGNED = {"aps", "execute-api"}
_FORM = "application/x-www-form-urlencoded"


def authentication_problems(authentication: Authentication | None) -> Iterator[tuple[str, str]]:
    """Yield (path, what is wrong) for settings that can't work."""
    if authentication is None:
        return
    given = [
        name
        for name, value in (
            ("basicAuth", authentication.basic_auth),
            ("oauth2", authentication.oauth2),
            ("sigv4", authentication.sigv4),
        )
        if value is not None
    ]
    if len(given) > 1:
        yield "authentication", f"set one of {', '.join(given)}: a request is authenticated in one way"
    oauth2 = authentication.oauth2
    if oauth2 is not None:
        for field, why in address_problems("tokenUrl", oauth2.token_url):
            yield f"authentication.oauth2.{field}", why
        if not oauth2.client_id or not oauth2.client_secret:
            yield "authentication.oauth2", "set clientId and clientSecret, the latter from a Secret by an argument"
    if authentication.sigv4 is not None and authentication.sigv4.profile:
        yield (
            "authentication.sigv4.profile",
            (
                "profiles are files, which the controller doesn't have: leave the profile out, and give the controller "
                "credentials by its service account or environment; roleArn assumes another role with them"
            ),
        )


def authenticated(
    request: Request, authentication: Authentication | None, asked: Asked
) -> Generator[Request, Response, Request]:
    """Return the request with its credentials, which may take requests of their own. Raises MeasurementError."""
    if authentication is None:
        return request
    if authentication.basic_auth is not None:
        user = authentication.basic_auth
        return with_header(request, "Authorization", basic(user.username or "", user.password or ""))
    if authentication.oauth2 is not None:
        token = yield from _token(authentication.oauth2, request)
        return with_header(request, "Authorization", f"Bearer {token}")
    if authentication.sigv4 is not None:
        return (yield from _signed(request, authentication.sigv4, asked))
    return request


def basic(username: str, password: str) -> str:
    """Return the header's value for a user name and a password."""
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


def with_header(request: Request, name: str, value: str) -> Request:
    """Return the request with one header more."""
    return replace(request, headers={**request.headers, name: value})


def _signed(request: Request, sigv4: Sigv4, asked: Asked) -> Generator[Request, Response, Request]:
    """Sign what goes to AWS; whatever else speaks Prometheus' language behind the same template gets no signature."""
    known = service_and_region(request.url)
    if known is None:
        return request
    service, region_of_host = known
    if service not in _SIGNED:
        raise MeasurementError(
            f"{host_of(request.url)} is no host that metrics are signed for: the controller's own identity is for "
            "Amazon Managed Service for Prometheus and API Gateway; for CloudWatch there is cloudWatch"
        )
    region = sigv4.region or region_of_host
    credentials = yield from credentials_for(asked, region, sigv4.role_arn)
    return sign(request, credentials, region, service, asked.now)


def _token(oauth2: OAuth2, request: Request) -> Generator[Request, Response, str]:
    """Ask for a token by the client credentials flow (RFC 6749, section 4.4).

    The client's credentials go into a header; a server that refuses is asked once more with them in the body.
    """
    client_id, secret = oauth2.client_id or "", oauth2.client_secret or ""
    form = {"grant_type": "client_credentials"} | ({"scope": " ".join(oauth2.scopes)} if oauth2.scopes else {})
    asking = Request(
        "POST",
        checked(oauth2.token_url or ""),
        {
            "Content-Type": _FORM,
            "Accept": "application/json",
            "Authorization": basic(quote_plus(client_id), quote_plus(secret)),
        },
        urlencode(form).encode(),
        timeout=request.timeout,
        verify=request.verify,
        reuse=fingerprint(client_id, secret, *(oauth2.scopes or ())),
    )
    response = yield asking
    if 400 <= response.status < 500:
        body = urlencode({**form, "client_id": client_id, "client_secret": secret}).encode()
        response = yield replace(asking, headers={"Content-Type": _FORM, "Accept": "application/json"}, body=body)
    return _token_in(asking, response)


def fingerprint(*texts: str) -> str:
    """Return a text that stands for others, and doesn't tell them."""
    return sha256("\0".join(texts).encode()).hexdigest()


def _token_in(asking: Request, response: Response) -> str:
    """Return the token. What the answer says besides isn't shown: it may hold secrets."""
    host = host_of(asking.url)
    if not 200 <= response.status < 300:
        raise MeasurementError(
            f"{host} answered {response.status} when asked for a token: "
            "check tokenUrl, clientId, clientSecret and scopes"
        )
    try:
        token = at(json_of(asking, response), "access_token")
    except MeasurementError:
        token = None
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise MeasurementError(f"the answer of {host} has no access_token: is tokenUrl right?")
    return token
