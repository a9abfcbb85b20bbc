"""AnalysisRuns and Experiments of Rollouts: how they are seen, made, ended and deleted."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from rollouts.controller.freshness import Freshness
from rollouts.controller.key import Key
from rollouts.controller.outcome import Outcome
from rollouts.controller.perform import perform
from rollouts.plan import Observed, Plan, plan_rollout
from rollouts.plan.actions import Action, CreateChild, DeleteChild, TerminateChild
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.ports import Kit
from tests.controller.harness import running
from tests.controller.test_mapping import Told
from tests.controller.world import Object, World, rollout

RUN, EXPERIMENT = "AnalysisRun", "Experiment"
METRIC = {"name": "errors", "provider": {"web": {"url": "http://metrics"}}}


def child(owner: Object | None, name: str, kind: str = RUN, **metadata: Any) -> Object:
    """Return an object that is controlled by another one."""
    references = []
    if owner is not None:
        of = {key: owner["metadata"][key] for key in ("name", "uid")}
        references = [{"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True, **of}]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default", "ownerReferences": references, **metadata},
        "spec": {"metrics": [METRIC]},
    }


def template(name: str, *refers_to: TemplateKey, is_cluster: bool = False) -> Object:
    references = [{"templateName": each.name, "clusterScope": each.is_cluster} for each in refers_to]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ClusterAnalysisTemplate" if is_cluster else "AnalysisTemplate",
        "metadata": {"name": name, "namespace": "" if is_cluster else "default"},
        "spec": {"metrics": [METRIC], **({"templates": references} if references else {})},
    }


def analyzed(name: str = "web", template_name: str = "success", *, is_cluster: bool = False) -> Object:
    reference = {"templateName": template_name, **({"clusterScope": True} if is_cluster else {})}
    return rollout(name, analysis={"templates": [reference]})


class Seen:
    """A plan that only looks."""

    def __init__(self) -> None:
        self.observed: list[Observed] = []

    def __call__(self, observed: Observed, now: datetime, kit: Kit) -> Plan:
        del now, kit
        self.observed.append(observed)
        return Plan()

    @property
    def last(self) -> Observed:
        return self.observed[-1]


@pytest.mark.looptime
async def test_a_plan_sees_the_children_that_its_rollout_controls_oldest_first() -> None:
    plan = Seen()
    async with running(plan) as here:
        web = here.world.put(rollout())
        here.world.put(child(web, "b", creationTimestamp="2026-01-01T00:00:02Z"))
        here.world.put(child(web, "a", creationTimestamp="2026-01-01T00:00:03Z"))
        here.world.put(child(web, "canary", EXPERIMENT))
        here.world.put(child(here.world.put(rollout("other")), "of-another"))
        here.world.put(child(None, "by-hand"))
        await here.until(
            lambda: any(seen.name == "web" and len(seen.runs) == 2 and seen.experiments for seen in plan.observed)
        )
        seen = next(seen for seen in reversed(plan.observed) if seen.name == "web")
        assert [each["metadata"]["name"] for each in seen.runs] == ["b", "a"]
        assert [each["metadata"]["name"] for each in seen.experiments] == ["canary"]


@pytest.mark.looptime
async def test_single_measurements_are_no_news_for_the_rollout_but_a_verdict_is() -> None:
    plan = Seen()
    async with running(plan) as here:
        here.world.put(child(here.world.put(rollout()), "run"))
        await here.until(lambda: plan.observed and plan.last.runs)
        count = len(plan.observed)
        for number in range(5):
            results = [{"name": "errors", "count": number}]
            here.world.change(RUN, "run", {"status": {"phase": "Running", "metricResults": results}})
            await asyncio.sleep(1)
        await here.until(lambda: plan.last.runs[0]["status"]["phase"] == "Running")
        assert len(plan.observed) == count + 1  # the phase
        here.world.change(RUN, "run", {"status": {"phase": "Failed"}})
        await here.until(lambda: plan.last.runs[0]["status"]["phase"] == "Failed")
        assert len(plan.observed) == count + 2


@pytest.mark.looptime
async def test_a_plan_sees_the_templates_that_matter_and_hears_of_each_change() -> None:
    plan = Seen()
    inner, missing = TemplateKey("inner", is_cluster=True), TemplateKey("missing")
    async with running(plan) as here:
        here.world.put(analyzed())
        here.world.put(template("success", inner, missing))
        here.world.put(template("bystander"))
        await here.until(lambda: plan.observed and plan.last.templates.get(TemplateKey("success")))
        assert dict(plan.last.templates)[inner] is None
        here.world.put(template("inner", is_cluster=True))
        await here.until(lambda: plan.last.templates[inner])
        count = len(plan.observed)
        here.world.change("AnalysisTemplate", "bystander", {"spec": {"metrics": []}})
        here.world.remove("AnalysisTemplate", "success")
        await here.until(lambda: plan.last.templates == {TemplateKey("success"): None})
        assert len(plan.observed) == count + 1


@pytest.mark.looptime
async def test_what_a_pass_has_found_sound_is_known_to_the_next_ones_until_it_changes() -> None:
    plan = Seen()
    async with running(plan) as here:
        web = here.world.put(analyzed())
        here.world.put(template("success"))
        await here.until(lambda: plan.observed and plan.last.sound)
        sound = plan.last.sound
        here.world.put(child(web, "run"))
        await here.until(lambda: plan.last.runs)
        assert plan.last.sound is sound
        here.world.change("AnalysisTemplate", "success", {"spec": {"metrics": [METRIC, {**METRIC, "name": "more"}]}})
        await here.until(lambda: plan.last.sound is not sound)


@pytest.mark.looptime
async def test_a_rollout_that_needs_what_cannot_be_read_says_so_and_the_others_go_on() -> None:
    async with running(plan_rollout) as here:
        here.world.known.problems["ClusterAnalysisTemplate"] = "a controller of one namespace doesn't read those"
        here.world.put(analyzed(is_cluster=True))
        here.world.put(rollout("other"))
        await here.until(lambda: here.status("other").get("phase") == "Healthy")
        await here.until(lambda: here.status().get("phase") == "Degraded")
        message = here.status()["message"]
        assert 'ClusterAnalysisTemplate "success", which can\'t be read: a controller of one namespace' in message
        here.world.known.problems.clear()
        here.world.put(template("success", is_cluster=True))
        here.world.changes(here.freshness, here.loop).kind_known("ClusterAnalysisTemplate")
        await here.until(lambda: "can't be read" not in here.status().get("message", ""))


class Stage:
    """A world whose changes are mapped to keys."""

    def __init__(self) -> None:
        self.world = World()
        self.told = Told()
        self.freshness = Freshness(self.world.lookups.find)
        changes = self.world.changes(self.freshness, self.told)
        self.world.listeners = dict(changes.listeners)


def test_a_template_concerns_who_names_it_and_who_names_what_names_it() -> None:
    stage = Stage()
    outer, inner, shared = (TemplateKey(name, is_cluster=name == "shared") for name in ("outer", "inner", "shared"))
    for name, key in (("web", outer), ("api", inner), ("bystander", TemplateKey("other"))):
        stage.world.put(analyzed(name, key.name))
    stage.world.put(template("outer", inner, outer))  # in a circle, too
    stage.world.put(template("inner", shared))
    stage.told.clear()
    stage.world.put(template("shared", is_cluster=True))
    assert sorted(set(stage.told.added)) == ["api", "web"]
    stage.told.clear()
    stage.world.change("AnalysisTemplate", "outer", {"spec": {"args": [{"name": "a"}]}})
    assert set(stage.told.added) == {"web"}
    stage.told.clear()
    stage.world.change("AnalysisTemplate", "outer", {"metadata": {"labels": {"a": "b"}}})
    assert stage.told.added == []


def test_a_child_concerns_itself_and_who_controls_it() -> None:
    stage = Stage()
    web = stage.world.put(rollout())
    experiment = stage.world.put(child(web, "canary", EXPERIMENT))
    stage.told.clear()
    stage.world.put(child(experiment, "run"))
    assert (stage.told.others, stage.told.added) == (["run"], ["canary"])
    stage.world.change(RUN, "run", {"status": {"metricResults": []}})
    assert (stage.told.others, stage.told.echoes) == (["run", "run"], ["canary"])
    stage.freshness.deleted(Key("default", "canary", EXPERIMENT), stage.world.get_now(RUN, "run"), 0)
    stage.world.remove(RUN, "run")
    assert stage.told.gone == ["run"]
    assert stage.freshness.owed(Key("default", "canary", EXPERIMENT)) == []


async def run(world: World, *actions: Action) -> Outcome:
    raw = world.lookups.rollouts.get("default", "web")
    assert raw is not None
    kept = (each for kind in (RUN, EXPERIMENT) for each in world.lookups.of(kind).items())
    seen = {(each["kind"], each["metadata"]["name"]): each for each in kept}
    return await perform(world.api, raw, seen, actions, None)


async def test_a_child_is_created_if_its_owner_is_still_there() -> None:
    world = World()
    web = world.put(rollout())
    action = CreateChild(RUN, "run", child(web, "run"))
    assert (await run(world, action)).acknowledged == [action]
    assert world.requests == ["get Rollout web", "create AnalysisRun run"]
    world.remove("Rollout", "web", deliver=False)
    world.objects["Rollout", "default", "web"] = {**web, "metadata": {**web["metadata"], "uid": "another"}}
    outcome = await run(world, CreateChild(RUN, "second", child(web, "second")))
    assert (outcome.acknowledged, len(outcome.outdated)) == ([], 1)
    assert (RUN, "default", "second") not in world.objects


async def test_a_name_that_is_taken_by_a_child_of_ours_will_do_and_else_the_plan_hears_of_it() -> None:
    world = World()
    web = world.put(rollout())
    world.put(child(web, "ours"))
    world.put(child(None, "theirs"))
    world.put(child(web, "elsewhere", labels={"argo-rollouts.argoproj.io/controller-instance-id": "blue"}))
    actions = [CreateChild(RUN, name, child(web, name)) for name in ("ours", "theirs", "elsewhere")]
    outcome = await run(world, *actions)
    assert outcome.acknowledged == actions[:1]
    assert [each["metadata"]["name"] for each in outcome.written] == ["ours"]
    refusals = [(each.refusal.verb, each.refusal.subject, each.refusal.reason) for each in outcome.refused]
    assert sorted(refusals) == [("create", "elsewhere", "AlreadyExists"), ("create", "theirs", "AlreadyExists")]


async def test_a_child_is_ended_if_it_is_still_the_one_that_was_seen() -> None:
    world = World()
    seen = world.put(child(world.put(rollout()), "run"))
    assert (await run(world, TerminateChild(RUN, "run", seen["metadata"]["uid"]))).acknowledged
    assert world.get_now(RUN, "run")["spec"]["terminate"] is True
    outcome = await run(world, TerminateChild(RUN, "run", "another"))
    assert (outcome.acknowledged, outcome.outdated) == ([], [world.lookups.of(RUN).get("default", "run")])


async def test_a_child_is_deleted_if_it_is_still_the_one_that_was_seen() -> None:
    world = World()
    seen = world.put(child(world.put(rollout()), "run"))
    outcome = await run(world, DeleteChild(RUN, "run", "another"))
    assert (len(outcome.outdated), (RUN, "default", "run") in world.objects) == (1, True)
    outcome = await run(world, DeleteChild(RUN, "run", seen["metadata"]["uid"]))
    assert outcome.deleted == [seen]
    assert (RUN, "default", "run") not in world.objects
    outcome = await run(world, DeleteChild(RUN, "run", seen["metadata"]["uid"]))
    assert outcome.gone == [seen]
