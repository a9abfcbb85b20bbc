"""Do routers keep the promises that strangers' routers have to keep?"""

from rollouts.ports.testing import RouterConformance
from rollouts.registry import load_kit
from tests.routing import SPLIT, Recording, RecordingRouter

MADE_BY_PEOPLE = {
    SPLIT: {
        "metadata": {"generation": 1, "labels": {"team": "shop"}},
        "spec": {"shares": [], "timeout": "3s"},
        "status": {"followed": 1},
    }
}


class TestRecordingRouter(RouterConformance):
    router = RecordingRouter()
    specs = (Recording(), Recording(verifies=True), Recording(hashes=True))
    objects = MADE_BY_PEOPLE


class TestRecordingRouterThatCreates(RouterConformance):
    router = RecordingRouter()
    specs = (Recording(),)


def test_every_installed_router_is_tested_here() -> None:
    assert dict(load_kit().routers) == {}
    assert load_kit().broken == {}
