"""A stand-in for AWS: load balancers as data, asked by the actions of Elastic Load Balancing and of STS.

Shapes: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/, with its XML and its namespaces.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import orjson

from rollouts.aws.signature import Credentials, sign
from rollouts.ports import Request, Response

HOST = "k8s-default-shop-1a2b3c4d5e-123456789.eu-west-1.elb.amazonaws.com"
ARN = "arn:aws:elasticloadbalancing:eu-west-1:1"
BALANCER = f"{ARN}:loadbalancer/app/k8s-default-shop-1a2b3c4d5e/50dc6c495c0c9188"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG"}
TEMPORARY = Credentials("ASIAEXAMPLE", "temporary-secret", "temporary-token")


def group_arn(service: str) -> str:
    return f"{ARN}:targetgroup/k8s-default-{service}/73e2d6bc24d8a067"


@dataclass
class Group:
    """A target group: what it is tagged with, its type, and the state of its targets."""

    tag: str
    target_type: str = "ip"
    health: dict[str, str] = field(default_factory=dict)


@dataclass
class Aws:
    """One load balancer with one listener. `rules` have the weights of groups, by the names of Services."""

    groups: dict[str, Group] = field(default_factory=dict)
    rules: list[Mapping[str, int]] = field(default_factory=list)
    host: str = HOST
    others: int = 0
    refuses: str = ""
    asked: list[str] = field(default_factory=list)
    credentials: Credentials = field(
        default_factory=lambda: Credentials(KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"])
    )

    def answer(self, request: Request) -> Response:
        """Answer as AWS would."""
        parameters = dict(parse_qsl((request.body or b"").decode()))
        action = parameters["Action"]
        self.asked.append(action)
        if action == "AssumeRoleWithWebIdentity":
            return Response(200, {}, self._session())
        if not self._is_signed(request):
            return self._error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
        if action == self.refuses:
            return self._error(403, "AccessDenied", f"User: arn:aws:sts::1:x is not authorized to perform: {action}")
        actions: dict[str, Callable[[Mapping[str, str]], str]] = {
            "DescribeLoadBalancers": self._balancers,
            "DescribeTargetGroups": self._groups,
            "DescribeTags": self._tags,
            "DescribeListeners": lambda _: f"<Listeners>{_member(ListenerArn=f'{BALANCER}/listener')}</Listeners>",
            "DescribeRules": self._rules,
            "DescribeTargetHealth": self._health,
        }
        return Response(200, {}, _document(action, actions[action](parameters)))

    def _is_signed(self, request: Request) -> bool:
        """Sign the request again, at the time that it says, and compare."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        known = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
        plain = {name: headers[name] for name in known if not name.startswith(("x-amz", "host"))}
        at = datetime.strptime(headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        unsigned = Request(request.method, request.url, plain, request.body)
        again = sign(unsigned, self.credentials, "eu-west-1", "elasticloadbalancing", at)
        return again.headers["Authorization"] == headers["authorization"]

    def _session(self) -> bytes:
        self.credentials = TEMPORARY
        keys = {
            "AccessKeyId": TEMPORARY.key_id,
            "SecretAccessKey": TEMPORARY.secret,
            "SessionToken": TEMPORARY.token,
            "Expiration": 4102444800,
        }
        action = "AssumeRoleWithWebIdentity"
        return orjson.dumps({f"{action}Response": {f"{action}Result": {"Credentials": keys}}})

    def _balancers(self, parameters: Mapping[str, str]) -> str:
        """Two pages, if there are others: ours is on the second one."""
        if self.others and not parameters.get("Marker"):
            found = "".join(
                _member(LoadBalancerArn=f"other-{number}", LoadBalancerName="other", DNSName=f"other-{number}.example")
                for number in range(self.others)
            )
            return f"<LoadBalancers>{found}</LoadBalancers><NextMarker>page-2</NextMarker>"
        name = BALANCER.split("/")[2]
        ours = _member(LoadBalancerArn=BALANCER, LoadBalancerName=name, DNSName=self.host)
        return f"<LoadBalancers>{ours}</LoadBalancers>"

    def _groups(self, parameters: Mapping[str, str]) -> str:
        assert parameters["LoadBalancerArn"] == BALANCER
        found = "".join(
            _member(TargetGroupArn=group_arn(name), TargetGroupName=f"k8s-default-{name}", TargetType=each.target_type)
            for name, each in self.groups.items()
        )
        return f"<TargetGroups>{found}</TargetGroups>"

    def _tags(self, parameters: Mapping[str, str]) -> str:
        arns = [value for name, value in parameters.items() if name.startswith("ResourceArns.member.")]
        assert 1 <= len(arns) <= 20
        tagged = {group_arn(name): each.tag for name, each in self.groups.items()}
        found = "".join(
            f"<member><ResourceArn>{arn}</ResourceArn><Tags>{_member(Key='elbv2.k8s.aws/cluster', Value='shop')}"
            f"{_member(Key='ingress.k8s.aws/resource', Value=tagged[arn])}</Tags></member>"
            for arn in arns
        )
        return f"<TagDescriptions>{found}</TagDescriptions>"

    def _rules(self, parameters: Mapping[str, str]) -> str:
        assert parameters["ListenerArn"] == f"{BALANCER}/listener"
        answers = "<member><Actions><member><Type>fixed-response</Type></member></Actions></member>"
        forwards = "".join(
            "<member><Actions><member><Type>forward</Type><ForwardConfig><TargetGroups>"
            + "".join(_member(TargetGroupArn=group_arn(name), Weight=str(weight)) for name, weight in rule.items())
            + "</TargetGroups></ForwardConfig></member></Actions></member>"
            for rule in self.rules
        )
        return f"<Rules>{answers}{forwards}</Rules>"

    def _health(self, parameters: Mapping[str, str]) -> str:
        group = next(each for name, each in self.groups.items() if group_arn(name) == parameters["TargetGroupArn"])
        found = "".join(
            f"<member><Target><Id>{address}</Id><Port>8080</Port></Target>"
            f"<TargetHealth><State>{state}</State></TargetHealth></member>"
            for address, state in group.health.items()
        )
        return f"<TargetHealthDescriptions>{found}</TargetHealthDescriptions>"

    @staticmethod
    def _error(status: int, code: str, message: str) -> Response:
        body = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        namespace = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
        return Response(status, {}, f'<ErrorResponse xmlns="{namespace}">{body}</ErrorResponse>'.encode())


def _member(**fields: str) -> str:
    return f"<member>{''.join(f'<{name}>{escape(value)}</{name}>' for name, value in fields.items())}</member>"


def _document(action: str, result: str) -> bytes:
    namespace = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
    whole = f"<{action}Result>{result}</{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
    return f'<{action}Response xmlns="{namespace}">{whole}</{action}Response>'.encode()
