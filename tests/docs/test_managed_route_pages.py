"""Do the pages about header routes and mirrors show what the route becomes, and is nothing left of it at the end?"""

import pytest

from rollouts.sim.scenario import resume, set_image
from tests.docs.router_pages import MANAGED, Example, differences, examples, reference_to
from tests.docs.test_router_pages import played
from tests.docs.test_router_pages import test_its_manifests_have_no_problems as has_no_problems

EACH = pytest.mark.parametrize("example", list(examples(MANAGED)), ids=str)


@EACH
def test_its_manifests_have_no_problems(example: Example) -> None:
    has_no_problems(example)


@EACH
def test_the_route_is_as_the_page_shows_it_at_the_first_pause(example: Example) -> None:
    world = played(example, set_image(100, "web", "web:2.0"))
    assert world.rollouts["web"]["status"]["phase"] == "Paused"
    for shown in example.at_weight:
        assert list(differences(shown, world.objects.live.get(reference_to(shown)))) == []


@EACH
def test_nothing_is_left_of_it_at_the_end(example: Example) -> None:
    world = played(example, set_image(100, "web", "web:2.0"), resume(200, "web"), resume(300, "web"))
    assert world.rollouts["web"]["status"]["phase"] == "Healthy"
    (begin,) = example.objects
    (shared,) = (world.objects.live[reference_to(begin)] or {})["spec"]["rules"]
    assert shared["matches"] == begin["spec"]["rules"][0]["matches"]
    assert [each["name"] for each in shared["backendRefs"]] == ["web-stable"]
