"""Do the built-in steps keep the promises that strangers' steps have to keep?"""

from rollouts.api.analysis import AnalysisTemplateRef, RolloutAnalysis
from rollouts.api.canary import (
    HeaderRoutingMatch,
    RolloutPause,
    RouteMatch,
    SetCanaryScale,
    SetHeaderRoute,
    SetMirrorRoute,
    StringMatch,
)
from rollouts.api.experiment import RolloutExperiment, RolloutExperimentTemplate
from rollouts.ports.testing import StepConformance
from rollouts.registry import load_kit

KIT = load_kit()


class TestSetWeight(StepConformance):
    step = KIT.steps["setWeight"]
    specs = (0, 20, 100)


class TestPause(StepConformance):
    step = KIT.steps["pause"]
    specs = (RolloutPause(), RolloutPause(duration=10), RolloutPause(duration="1h30m"), RolloutPause(duration="0"))


class TestSetCanaryScale(StepConformance):
    step = KIT.steps["setCanaryScale"]
    specs = (SetCanaryScale(replicas=3), SetCanaryScale(weight=25), SetCanaryScale(match_traffic_weight=True))


class TestSetHeaderRoute(StepConformance):
    step = KIT.steps["setHeaderRoute"]
    specs = (
        SetHeaderRoute(name="qa", match=(HeaderRoutingMatch(header_name="X-QA", header_value=StringMatch(exact="1")),)),
        SetHeaderRoute(name="qa"),
    )


class TestSetMirrorRoute(StepConformance):
    step = KIT.steps["setMirrorRoute"]
    specs = (
        SetMirrorRoute(name="copy", match=(RouteMatch(path=StringMatch(prefix="/read")),), percentage=30),
        SetMirrorRoute(name="copy"),
    )


class TestAnalysis(StepConformance):
    step = KIT.steps["analysis"]
    specs = (RolloutAnalysis(templates=(AnalysisTemplateRef(template_name="errors"),)),)


class TestExperiment(StepConformance):
    step = KIT.steps["experiment"]
    specs = (RolloutExperiment(templates=(RolloutExperimentTemplate(name="canary", spec_ref="canary"),)),)


def test_every_installed_step_is_tested_here() -> None:
    assert set(KIT.steps) == {
        each.step.key
        for each in (
            TestSetWeight,
            TestPause,
            TestSetCanaryScale,
            TestSetHeaderRoute,
            TestSetMirrorRoute,
            TestAnalysis,
            TestExperiment,
        )
    }
    assert KIT.broken == {}
