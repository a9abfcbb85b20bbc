"""Does stableService always select pods that are asked for, in every pass of the stories that the Services have?"""

import pytest

from rollouts.api import keys
from rollouts.registry import load_kit
from rollouts.sim.simulation import Pass, Simulation
from tests.golden.stories import Story, a_full_canary_waits_for_people, services_follow_the_pods


@pytest.mark.parametrize("story", [services_follow_the_pods, a_full_canary_waits_for_people])
def test_no_pass_empties_what_the_stable_service_selects(story: Story) -> None:
    moments = Simulation(story(), load_kit()).run()
    selected: list[str] = []
    for moment in moments:
        if not isinstance(moment, Pass):
            continue
        service = moment.here.services["web-stable"]
        assert service is not None
        pod_hash = service["spec"]["selector"].get(keys.POD_TEMPLATE_HASH)
        if pod_hash is None:
            continue
        # The selector as it was before the pass: a switch of the same pass may be refused.
        sizes = (moment.sizes_before[f"web-{pod_hash}"], moment.sizes_after[f"web-{pod_hash}"])
        assert min(sizes) > 0, f"{moment.now}: the stable Service selects {pod_hash}, of sizes {sizes}"
        if pod_hash not in selected:
            selected.append(pod_hash)
    assert len(selected) == 2, "the story is one of an update: the Service is switched once"
