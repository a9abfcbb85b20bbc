"""What do load balancers of AWS do at the moment? Their rules, target groups, and the health of targets.

The actions of the API of Elastic Load Balancing:
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from rollouts.aws.answers import document
from rollouts.aws.credentials import credentials_for
from rollouts.aws.signature import Credentials, address_of, sign
from rollouts.ports.provider import Asked, MeasurementError, Request, Response

_VERSION = "2015-12-01"
_SERVICE = "elasticloadbalancing"
_REGION = re.compile(r"\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.elb\.amazonaws\.com(?:\.cn)?$")
_TAGS_AT_ONCE = 20
_MOST_PAGES = 5

T = TypeVar("T")
Asks = Generator[Request, Response, T]


@dataclass(frozen=True, slots=True)
class Resource:
    """A load balancer or a target group. `dns_name` is a load balancer's, `target_type` a group's."""

    arn: str
    name: str
    dns_name: str = ""
    target_type: str = ""

    @property
    def full_name(self) -> str:
        """The name by which CloudWatch knows it: app/shop/50dc6c495c0c9188, or targetgroup/shop/73e2d6bc24d8a067."""
        return self.arn.rpartition(":")[2].removeprefix("loadbalancer/")


Weights = Mapping[str, int]
"""What the target groups of a rule weigh, by their ARNs."""


@dataclass(frozen=True, slots=True)
class LoadBalancers:
    """The load balancers of a region, as these credentials see them."""

    asked: Asked
    region: str
    credentials: Credentials = field(repr=False)

    def named(self, dns_name: str) -> Asks[Resource | None]:
        """Return the load balancer of a DNS name, in which case makes no difference."""
        found = yield from self._all("DescribeLoadBalancers", {"PageSize": "400"}, "LoadBalancers", _balancer)
        return next((each for each in found if each.dns_name.lower() == dns_name.lower()), None)

    def target_groups(self, balancer: Resource) -> Asks[list[Resource]]:
        """Return the target groups of a load balancer."""
        return (yield from self._all("DescribeTargetGroups", {"LoadBalancerArn": balancer.arn}, "TargetGroups", _group))

    def tags(self, resources: Iterable[Resource], key: str) -> Asks[dict[str, str]]:
        """Return the value of a tag, by the ARNs of the resources that have it."""
        found: dict[str, str] = {}
        arns = iter([each.arn for each in resources])
        while some := list(islice(arns, _TAGS_AT_ONCE)):
            parameters = {f"ResourceArns.member.{number}": arn for number, arn in enumerate(some, 1)}
            for described in (yield from self._page("DescribeTags", parameters)).iterfind(".//TagDescriptions/member"):
                values = (_text(tag, "Value") for tag in described.iterfind("Tags/member") if _text(tag, "Key") == key)
                found |= {_text(described, "ResourceArn"): value for value in values}
        return found

    def forwards(self, balancer: Resource) -> Asks[list[Weights]]:
        """Return what each rule forwards to, of all that forward anything."""
        parameters = {"LoadBalancerArn": balancer.arn}
        listeners = yield from self._all(
            "DescribeListeners", parameters, "Listeners", lambda each: _text(each, "ListenerArn")
        )
        found: list[Weights] = []
        for listener in listeners:
            rules = yield from self._all("DescribeRules", {"ListenerArn": listener}, "Rules", _forward)
            found += [rule for rule in rules if rule]
        return found

    def health(self, group: Resource) -> Asks[dict[str, str]]:
        """Return the state of each target of a group, by its id: an address, or the name of an instance."""
        root = yield from self._page("DescribeTargetHealth", {"TargetGroupArn": group.arn})
        targets = root.iterfind(".//TargetHealthDescriptions/member")
        return {_text(each, "Target/Id"): _text(each, "TargetHealth/State") for each in targets}

    def _all(
        self, action: str, parameters: Mapping[str, str], name: str, read: Callable[[Element], T]
    ) -> Asks[list[T]]:
        """Return what all pages of an answer have."""
        found: list[T] = []
        marker = ""
        for _ in range(_MOST_PAGES):
            page = yield from self._page(action, {**parameters, **({"Marker": marker} if marker else {})})
            found += map(read, page.iterfind(f".//{name}/member"))
            marker = _text(page, ".//NextMarker")
            if not marker:
                return found
        raise MeasurementError(f"{action} has more than {_MOST_PAGES} pages")

    def _page(self, action: str, parameters: Mapping[str, str]) -> Asks[Element]:
        request = Request(
            "POST",
            address_of(_SERVICE, self.region, self.asked.settings),
            {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
            urlencode({"Action": action, "Version": _VERSION, **parameters}).encode(),
        )
        signed = sign(request, self.credentials, self.region, _SERVICE, self.asked.now)
        return document(signed, (yield signed))


def load_balancers_for(asked: Asked, dns_name: str) -> Asks[LoadBalancers]:
    """Return the load balancers among which one with this DNS name is. Raises MeasurementError."""
    match = _REGION.search(dns_name.lower())
    settings = asked.settings
    region = match["region"] if match else settings.get("AWS_REGION") or settings.get("AWS_DEFAULT_REGION")
    if not region:
        raise MeasurementError(
            f"{dns_name} doesn't tell its AWS region: set AWS_REGION in the controller's environment"
        )
    return LoadBalancers(asked, region, (yield from credentials_for(asked, region)))


def _text(element: Element, path: str) -> str:
    return element.findtext(path) or ""


def _balancer(each: Element) -> Resource:
    return Resource(_text(each, "LoadBalancerArn"), _text(each, "LoadBalancerName"), dns_name=_text(each, "DNSName"))


def _group(each: Element) -> Resource:
    name, target_type = _text(each, "TargetGroupName"), _text(each, "TargetType")
    return Resource(_text(each, "TargetGroupArn"), name, target_type=target_type)


def _forward(rule: Element) -> Weights:
    """Return what a rule forwards to; a group that stands alone may have no weight, and gets everything."""
    groups: Sequence[Element] = rule.findall("Actions/member/ForwardConfig/TargetGroups/member")
    return dict(_weights(groups))


def _weights(groups: Iterable[Element]) -> Iterator[tuple[str, int]]:
    for each in groups:
        text = _text(each, "Weight")
        yield _text(each, "TargetGroupArn"), int(text) if text.isdecimal() else 1
