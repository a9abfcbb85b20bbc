"""Which conditions of a header route can't work: on headers, cookies and query parameters?"""

import pytest

from rollouts.ports import Ability, Kit
from tests.plan.given import Raw
from tests.plan.test_routed_invalid import CANARY, EXACT, said
from tests.routing import KEY, KIT, RecordingRouter, by_router


class HeadersOnly(RecordingRouter):
    """The same router, which looks at headers only."""

    abilities = frozenset(Ability) - {Ability.QUERY_PARAMETERS}


HEADERS_ONLY = Kit(steps=KIT.steps, routers={KEY: HeadersOnly()})
COOKIE = {"cookieName": "insider", "cookieValue": {"exact": "yes"}}
PARAMETER = {"queryParamName": "version", "queryParamValue": {"prefix": "beta"}}
LISTED = {"managedRoutes": [{"name": "beta"}]}


def asking(*match: Raw) -> Raw:
    """Return a Rollout whose only step is a header route with these conditions."""
    return by_router(steps=[{"setHeaderRoute": {"name": "beta", "match": list(match)}}], trafficRouting=LISTED)


ROWS: dict[str, tuple[Raw, Kit, str]] = {
    "a cookie, where the router compares headers as a whole": (
        asking(COOKIE),
        EXACT,
        (
            f"{CANARY}.steps[0].setHeaderRoute.match[0].cookieName: {KEY} can't find a cookie among others, which takes"
            " a regex: use headerName with exact"
        ),
    ),
    "a query parameter, which the router can't compare": (
        asking(PARAMETER),
        HEADERS_ONLY,
        (
            f"{CANARY}.steps[0].setHeaderRoute.match[0].queryParamName: {KEY} can't compare query parameters: use"
            " headerName"
        ),
    ),
    "a query parameter that the router can't compare like that": (
        asking(PARAMETER),
        EXACT,
        (
            f"{CANARY}.steps[0].setHeaderRoute.match[0].queryParamValue.prefix: {KEY} can't compare query parameters"
            " like that: use exact"
        ),
    ),
    "a header and a cookie in one entry": (
        asking({**COOKIE, "headerName": "X-A", "headerValue": {"exact": "1"}}),
        KIT,
        (
            f"{CANARY}.steps[0].setHeaderRoute.match[0]: sets headerName and cookieName: set exactly one of headerName,"
            " cookieName, queryParamName, and its value"
        ),
    ),
    "an entry that asks for nothing": (
        asking({}),
        KIT,
        (
            f"{CANARY}.steps[0].setHeaderRoute.match[0]: sets nothing: set exactly one of headerName, cookieName,"
            " queryParamName, and its value"
        ),
    ),
    "a cookie without a value": (
        asking({"cookieName": "insider"}),
        KIT,
        f"{CANARY}.steps[0].setHeaderRoute.match[0].cookieValue: sets nothing: set exactly one of exact, prefix, regex",
    ),
    "a query parameter without a name": (
        asking({"queryParamValue": {"exact": "1"}}),
        KIT,
        f"{CANARY}.steps[0].setHeaderRoute.match[0].queryParamName: is empty: name a query parameter",
    ),
    "a cookie whose value has anchors": (
        asking({"cookieName": "insider", "cookieValue": {"regex": "^yes$"}}),
        KIT,
        (
            f'{CANARY}.steps[0].setHeaderRoute.match[0].cookieValue.regex: "^yes$" begins with ^ or ends with $: leave'
            " both out, all of the value must match"
        ),
    ),
    "a cookie whose value runs on into the next one": (
        asking({"cookieName": "insider", "cookieValue": {"regex": "a\\.b.*"}}),
        KIT,
        (
            f'{CANARY}.steps[0].setHeaderRoute.match[0].cookieValue.regex: "a\\.b.*" has ., which matches the ; before'
            " the next cookie, too: write [^;] or a narrower class"
        ),
    ),
    "two cookies": (
        asking(COOKIE, {**COOKIE, "cookieName": "other"}),
        KIT,
        (
            f"{CANARY}.steps[0].setHeaderRoute.match[1].cookieName: is a second condition on the header Cookie, which"
            " routers compare once: use a setHeaderRoute of its own, or a regex for both"
        ),
    ),
    "a cookie, and the header that has all of them": (
        asking(COOKIE, {"headerName": "cookie", "headerValue": {"regex": ".*a=b.*"}}),
        KIT,
        (
            f"{CANARY}.steps[0].setHeaderRoute.match[1].headerName: is a second condition on the header Cookie, which"
            " routers compare once: use a setHeaderRoute of its own, or a regex for both"
        ),
    ),
    "a query parameter twice": (
        asking(PARAMETER, PARAMETER),
        KIT,
        (
            f"{CANARY}.steps[0].setHeaderRoute.match[1].queryParamName: is a second condition on the query parameter"
            " version, which routers compare once: use a setHeaderRoute of its own, or a regex for both"
        ),
    ),
}


@pytest.mark.parametrize("says", ROWS)
def test_what_cannot_work_is_said(says: str) -> None:
    raw, kit, message = ROWS[says]
    assert said(raw, kit) == [message]


FINE: dict[str, tuple[Raw, Kit]] = {
    "a cookie, a header and a query parameter": (
        asking(COOKIE, PARAMETER, {"headerName": "X-A", "headerValue": {"exact": "1"}}),
        KIT,
    ),
    "a cookie of a router without query parameters": (asking(COOKIE), HEADERS_ONLY),
    "a dollar that means itself": (asking({"cookieName": "a", "cookieValue": {"regex": "5\\$"}}), KIT),
    "a header with any value": (asking({"headerName": "X-A", "headerValue": {"regex": ".+"}}), KIT),
    "the Cookie header twice, as it always could be": (
        asking(
            {"headerName": "Cookie", "headerValue": {"regex": ".*a=1.*"}},
            {"headerName": "Cookie", "headerValue": {"regex": ".*b=1.*"}},
        ),
        KIT,
    ),
}


@pytest.mark.parametrize("says", FINE)
def test_what_can_work_is_not_refused(says: str) -> None:
    assert said(*FINE[says]) == []
