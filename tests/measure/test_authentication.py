"""How does a request prove who sends it?"""

from base64 import b64decode
from datetime import UTC, datetime

import pytest

from rollouts.aws.signature import Credentials, service_and_region, sign
from rollouts.expr import Floats
from rollouts.measure.prometheus import Prometheus
from rollouts.ports import MeasurementError, Reading, Request
from tests.measure.driving import Told, answered

SPEC = {"address": "https://prometheus", "query": "up"}
ONE = {"status": "success", "data": {"resultType": "vector", "result": [{"metric": {}, "value": [1, "1"]}]}}
OAUTH = {
    "oauth2": {"tokenUrl": "https://login/token", "clientId": "a:b", "clientSecret": "p w", "scopes": ["read", "all"]}
}
AMP = "https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


def test_a_user_name_and_a_password() -> None:
    told = Told(Prometheus(), {**SPEC, "authentication": {"basicAuth": {"username": "me", "password": "pä"}}}, [])
    kind, value = told.request.headers["Authorization"].split()
    assert (kind, b64decode(value).decode()) == ("Basic", "me:pä")


def test_a_token_is_asked_for_first() -> None:
    token = {"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600}
    told = Told(Prometheus(), {**SPEC, "authentication": OAUTH}, [token, ONE])
    asking, asked = told.requests
    assert asking.url == "https://login/token"
    assert asking.body == b"grant_type=client_credentials&scope=read+all"
    assert b64decode(asking.headers["Authorization"].split()[1]) == b"a%3Ab:p+w"  # RFC 6749, section 2.3.1
    assert asked.headers["Authorization"] == "Bearer t0ken"
    assert told.outcome == Reading(Floats([1.0]), "[1]")


def test_a_server_that_wants_the_client_in_the_body_gets_it() -> None:
    told = Told(Prometheus(), {**SPEC, "authentication": OAUTH}, [answered({"error": "invalid_client"}, 401)])
    assert told.form["client_id"] == "a:b"
    assert told.form["client_secret"] == "p w"  # noqa: S105 - it opens nothing
    assert "Authorization" not in told.request.headers


@pytest.mark.parametrize("refusal", [answered(b"p w is wrong", 401), answered({"token": "p w"}), answered(b"<p w>")])
def test_a_token_that_is_refused_tells_no_secret(refusal: object) -> None:
    with pytest.raises(MeasurementError, match="login") as caught:
        Told(Prometheus(), {**SPEC, "authentication": OAUTH}, [refusal, refusal])
    assert "p w" not in str(caught.value)


# Requests, keys and signatures of AWS' own test suite (aws-sig-v4-test-suite: get-vanilla and others).
VECTORS = (
    ("GET", "/", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    ("GET", "/ሴ", "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    ("POST", "/", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ("GET", "/", "Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
)


@pytest.mark.parametrize(("method", "path", "query", "signature"), VECTORS)
def test_signatures_are_those_of_aws(method: str, path: str, query: str, signature: str) -> None:
    request = Request(method, f"https://example.amazonaws.com{path}{'?' if query else ''}{query}")
    credentials = Credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
    signed = sign(request, credentials, "us-east-1", "service", datetime(2015, 8, 30, 12, 36, tzinfo=UTC))
    assert signed.headers["Authorization"] == (
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders=host;x-amz-date, Signature={signature}"
    )


def test_a_workspace_of_aws_gets_a_signature() -> None:
    told = Told(Prometheus(), {"address": AMP, "query": "up", "authentication": {"sigv4": {}}}, [], settings=KEYS)
    assert (
        "/20260301/eu-west-1/aps/aws4_request, SignedHeaders=content-type;host" in told.request.headers["Authorization"]
    )


def test_another_server_gets_none() -> None:
    told = Told(Prometheus(), {**SPEC, "authentication": {"sigv4": {"region": "eu-west-1"}}}, [], settings=KEYS)
    assert "Authorization" not in told.request.headers


def test_a_role_is_assumed() -> None:
    answer = {
        "AssumeRoleResponse": {
            "AssumeRoleResult": {
                "Credentials": {"AccessKeyId": "ASIA1", "SecretAccessKey": "s", "SessionToken": "session"}
            }
        }
    }
    authentication = {"sigv4": {"roleArn": "arn:aws:iam::1:role/reader", "region": "eu-central-1"}}
    spec = {"address": AMP, "query": "up", "authentication": authentication}
    told = Told(Prometheus(), spec, [answer], settings=KEYS)
    sts, query = told.requests
    assert sts.url == "https://sts.eu-central-1.amazonaws.com/"
    assert b"Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Freader" in (sts.body or b"")
    assert "Credential=ASIA1/20260301/eu-central-1/aps/" in query.headers["Authorization"]
    assert query.headers["X-Amz-Security-Token"] == "session"


def test_a_service_account_is_exchanged_for_credentials() -> None:
    answer = {
        "AssumeRoleWithWebIdentityResponse": {
            "AssumeRoleWithWebIdentityResult": {
                "Credentials": {"AccessKeyId": "ASIA2", "SecretAccessKey": "s", "SessionToken": "session"}
            }
        }
    }
    settings = {"AWS_ROLE_ARN": "arn:aws:iam::1:role/controller", "AWS_WEB_IDENTITY_TOKEN": "jwt"}
    spec = {"address": AMP, "query": "up", "authentication": {"sigv4": {}}}
    told = Told(Prometheus(), spec, [answer], settings=settings)
    assert "Authorization" not in told.requests[0].headers
    assert "Credential=ASIA2/" in told.request.headers["Authorization"]


def test_a_controller_without_credentials_says_how_to_get_them() -> None:
    with pytest.raises(MeasurementError, match="AWS_WEB_IDENTITY_TOKEN_FILE"):
        Told(Prometheus(), {"address": AMP, "query": "up", "authentication": {"sigv4": {}}}, [])


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://monitoring.us-gov-west-1.amazonaws.com/", ("monitoring", "us-gov-west-1")),
        ("https://abc.execute-api.cn-north-1.amazonaws.com.cn/x", ("execute-api", "cn-north-1")),
        ("https://aps-workspaces.eu-west-1.amazonaws.com.evil.example", None),
        ("https://prometheus:9090", None),
    ],
)
def test_hosts_tell_service_and_region(url: str, known: tuple[str, str] | None) -> None:
    assert service_and_region(url) == known


@pytest.mark.parametrize("host", ["sts.eu-west-1.amazonaws.com", "secretsmanager.eu-west-1.amazonaws.com"])
def test_the_rest_of_aws_is_not_reached_with_the_identity_of_the_controller(host: str) -> None:
    spec = {"address": f"https://{host}", "query": "up", "authentication": {"sigv4": {}}}
    with pytest.raises(MeasurementError, match="is no host that metrics are signed for"):
        Told(Prometheus(), spec, [], settings=KEYS)
