"""Do people find and steer analyses and experiments by the plugin of Argo Rollouts as they do by ours?

What is looked at belongs to a controller instance that isn't there, so that it stays as the test has written it.
"""

import json
import re
from typing import Any

from e2e.plugin import Plugin
from e2e.stories.errors import Errors
from e2e.stories.story import BETTER, HASH, REVISION, Story
from e2e.waiting import eventually
from tests.wire.objects import template as pod_template

Json = dict[str, Any]

API = "argoproj.io/v1alpha1"
GROUP = f"/apis/{API}"
NOBODY = "nobody"
INSTANCE = {"argo-rollouts.argoproj.io/controller-instance-id": NOBODY}
METRIC: Json = {
    "name": "errors",
    "interval": "30s",
    "count": 5,
    "failureLimit": 1,
    "successCondition": "result <= {{args.most}}",
    "provider": {"web": {"url": "http://{{args.host}}/errors", "jsonPath": "{$.errors}"}},
}
FAILED: Json = {
    "phase": "Failed",
    "message": 'Metric "errors" assessed Failed due to failed (2) > failureLimit (1)',
    "startedAt": "2024-05-01T12:00:00Z",
    "metricResults": [
        {
            "name": "errors",
            "phase": "Failed",
            "count": 3,
            "successful": 1,
            "failed": 2,
            "measurements": [
                {"phase": phase, "value": value, "startedAt": at, "finishedAt": at}
                for phase, value, at in (
                    ("Successful", "3", "2024-05-01T12:00:00Z"),
                    ("Failed", "9", "2024-05-01T12:00:30Z"),
                    ("Failed", "12", "2024-05-01T12:01:00Z"),
                )
            ],
        }
    ],
}


def analysis_template(name: str, kind: str = "AnalysisTemplate", **spec: Any) -> Json:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": spec}


def owned(kind: str, name: str, owner: Json, spec: Json, status: Json, **metadata: Any) -> Json:
    """Return an object of our API that somebody controls, and that no controller here looks after."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
    }
    labels = {**INSTANCE, **metadata.pop("labels", {})}
    whole = {"name": name, "labels": labels, "ownerReferences": [reference], **metadata}
    return {"apiVersion": API, "kind": kind, "metadata": whole, "spec": spec, "status": status}


def drawn(tree: str) -> list[tuple[str, ...]]:
    """What a tree says of experiments and runs: how deep, symbol, name, kind, status, and counts of measurements."""
    line = re.compile(r"^([ │├└─]*)([Σα]) (\S+) +(AnalysisRun|Experiment) +\S (\w+) +\w+ *(.*?) *$", re.MULTILINE)
    found = line.findall(tree)
    depths = sorted({len(stem) for stem, *_ in found})  # a branch is wider here than there
    rows = []
    for stem, symbol, name, kind, status, info in found:
        counts = re.sub(r"[ ,]+", " ", info) if kind == "AnalysisRun" else ""
        rows.append((str(depths.index(len(stem))), symbol, name, kind, status, counts))
    return sorted(rows)


async def ended(story: Story, name: str, phase: str) -> None:
    """Wait for the phase of a run."""

    async def look() -> bool:
        run = await story.read(GROUP, "analysisruns", name)
        assert run.get("status", {}).get("phase") == phase, run
        return True

    await eventually(look, what=f"analysis run {name}")


async def test_both_make_the_same_run_of_a_template(story: Story, argo: Plugin) -> None:
    arguments = [{"name": "host"}, {"name": "most", "value": "5"}]
    await story.kubectl.apply(analysis_template("errors", args=arguments, metrics=[METRIC]))
    words = ("create", "analysisrun", "--from", "errors", "-a", "host=shop", "--instance-id", NOBODY)
    assert await argo(*words, "--name", "theirs") == "analysisrun.argoproj.io/theirs created\n"
    assert await story.cli(*words, "--name", "ours") == "analysisrun.argoproj.io/ours created\n"
    theirs, ours = [await story.read(GROUP, "analysisruns", name) for name in ("theirs", "ours")]
    assert ours["spec"] == theirs["spec"]
    assert ours["metadata"]["labels"] == theirs["metadata"]["labels"]


async def test_ours_puts_templates_of_templates_together(story: Story) -> None:
    arguments = [{"name": "host", "value": "shop"}, {"name": "most", "value": "5"}]
    await story.kubectl.apply(
        [
            analysis_template("errors", args=arguments, metrics=[METRIC]),
            analysis_template("wide", templates=[{"templateName": "errors"}], dryRun=[{"metricName": "errors"}]),
        ]
    )
    words = ("create", "analysisrun", "--from", "wide", "--instance-id", NOBODY)
    assert (await story.cli(*words)).startswith("analysisrun.argoproj.io/wide-")
    (run,) = (await story.read(GROUP, "analysisruns"))["items"]
    assert run["spec"] == {"metrics": [METRIC], "args": arguments, "dryRun": [{"metricName": "errors"}]}


async def test_what_cannot_be_carried_out_is_not_created(story: Story) -> None:
    await story.kubectl.apply(analysis_template("errors", args=[{"name": "host"}], metrics=[METRIC]))
    told = await story.cli("create", "analysisrun", "--from", "errors", code=1)
    assert "args.host was not resolved" in told
    assert "failed to resolve {{args.most}}" in await story.cli(
        "create", "analysisrun", "--from", "errors", "-a", "host=shop", code=1
    )
    assert (await story.read(GROUP, "analysisruns"))["items"] == []


async def test_either_ends_a_run(story: Story, argo: Plugin) -> None:
    for name in ("one", "two"):
        run = {"apiVersion": API, "kind": "AnalysisRun", "metadata": {"name": name, "labels": INSTANCE}}
        await story.kubectl.apply({**run, "spec": {"metrics": [METRIC]}})
    await argo("terminate", "analysisrun", "one")
    await story.cli("terminate", "analysisrun", "two")
    for name in ("one", "two"):
        assert (await story.read(GROUP, "analysisruns", name))["spec"]["terminate"] is True
    assert "is being terminated already" in await story.cli("terminate", "ar", "one")


async def test_both_draw_the_same_tree(story: Story, argo: Plugin) -> None:
    await story.create(replicas=1)
    rollout = await story.rollout()
    pod_hash = rollout["status"]["currentPodHash"]
    place: Json = {"labels": {HASH: pod_hash}, "annotations": {REVISION: "1"}}
    arguments = [{"name": "most", "value": "5"}, {"name": "host", "value": "shop"}]
    spec = {"metrics": [METRIC], "args": arguments}
    labels = {"app": "try"}
    templates = [{"name": "baseline", "selector": {"matchLabels": labels}, "template": pod_template(labels)}]
    experiment_spec = {"templates": templates, "duration": "1h"}
    await story.kubectl.apply(
        [
            owned("AnalysisRun", "web-step", rollout, spec, FAILED, **place),
            owned("Experiment", "web-try", rollout, experiment_spec, {"phase": "Running"}, **place),
        ]
    )
    experiment = await story.read(GROUP, "experiments", "web-try")
    bad = {"phase": "Inconclusive", "metricResults": [{"name": "errors", "phase": "Inconclusive", "inconclusive": 1}]}
    await story.kubectl.apply(owned("AnalysisRun", "web-try-compare", experiment, spec, bad))
    theirs, ours = await argo("get", "rollout", "web", "--no-color"), await story.cli("get", "rollout", "web")
    assert drawn(ours) == [
        ("0", "Σ", "web-try", "Experiment", "Running", ""),
        ("0", "\N{GREEK SMALL LETTER ALPHA}", "web-step", "AnalysisRun", "Failed", "✔ 1 ✖ 2"),
        ("1", "\N{GREEK SMALL LETTER ALPHA}", "web-try-compare", "AnalysisRun", "Inconclusive", "? 1"),
    ]
    assert drawn(theirs) == drawn(ours)
    theirs, ours = await argo("get", "experiment", "web-try", "--no-color"), await story.cli("get", "exp", "web-try")
    assert len(drawn(ours)) == 2
    assert drawn(theirs) == drawn(ours)
    assert "web-try" in await argo("list", "experiments")
    assert "web-try" in await story.cli("list", "experiments")
    assert "web-step" in await story.cli("list", "analysisruns")
    await argo("terminate", "experiment", "web-try")
    assert "is being terminated already" in await story.cli("terminate", "experiment", "web-try")
    explained = await story.cli("explain", "analysisrun", "web-step")
    assert "2 failed (failureLimit 1)" in explained
    assert "the last values are 9, 12: successCondition is result <= 5" in explained
    shown = json.loads(await story.cli("get", "analysisrun", "web-step", "-o", "json"))
    assert shown["status"] == FAILED


async def test_a_run_without_a_rollout_comes_to_its_verdict(story: Story, argo: Plugin, errors: Errors) -> None:
    quick = {**METRIC, "interval": "1s", "count": 3}
    arguments = [{"name": "host"}, {"name": "most", "value": "5"}]
    await story.kubectl.apply(analysis_template("errors", args=arguments, metrics=[quick]))
    await argo("create", "analysisrun", "--from", "errors", "--name", "good", "-a", f"host={errors.host}")
    await ended(story, "good", "Successful")
    errors.count = 9
    await story.cli("create", "analysisrun", "--from", "errors", "--name", "bad", "-a", f"host={errors.host}")
    await ended(story, "bad", "Failed")
    listed = dict(line.split()[:2] for line in (await story.cli("list", "analysisruns")).splitlines())
    assert listed == {"NAME": "STATUS", "good": "Successful", "bad": "Failed"}
    assert "3 of 3 measured, every 1s: 3 successful" in await story.cli("get", "analysisrun", "good")
    explained = await story.cli("explain", "analysisrun", "bad")
    assert "2 failed (failureLimit 1)" in explained
    assert "the last values are 9, 9: successCondition is result <= 5" in explained


async def test_a_run_is_ended_by_a_person(story: Story, argo: Plugin, errors: Errors) -> None:
    endless = {key: value for key, value in METRIC.items() if key not in ("count", "interval")} | {"interval": "1s"}
    arguments = [{"name": "host", "value": errors.host}, {"name": "most", "value": "5"}]
    await story.kubectl.apply(analysis_template("errors", args=arguments, metrics=[endless]))
    for name, terminate in (("one", argo), ("two", story.cli)):
        await story.cli("create", "analysisrun", "--from", "errors", "--name", name)
        await ended(story, name, "Running")
        waiting = await story.cli("explain", "analysisrun", name)
        assert 'metric "errors": ' in waiting
        await terminate("terminate", "analysisrun", name)
        await ended(story, name, "Successful")


async def test_the_analysis_that_aborts_an_update_is_told_by_both(story: Story, argo: Plugin, errors: Errors) -> None:
    arguments = [{"name": "host", "value": errors.host}, {"name": "most", "value": "5"}]
    quick = {**METRIC, "interval": "1s", "count": 3}
    await story.kubectl.apply(analysis_template("errors", args=arguments, metrics=[quick]))
    canary = {"steps": [{"setWeight": 50}, {"pause": {}}], "analysis": {"templates": [{"templateName": "errors"}]}}
    await story.create(replicas=2, strategy={"canary": canary})
    errors.count = 9
    await story.set_image(BETTER)
    told = await story.cli("status", "web", "--timeout=120s", code=1)
    assert "RolloutAborted" in told
    assert 'Metric "errors" assessed Failed due to failed (2) > failureLimit (1)' in told
    explained = await story.cli("explain", "web")
    assert "(background) is Failed" in explained
    assert "the last values are 9, 9: successCondition is result <= 5" in explained
    theirs, ours = await argo("get", "rollout", "web", "--no-color"), await story.cli("get", "rollout", "web")
    assert [row[3:] for row in drawn(ours)] == [("AnalysisRun", "Failed", "✖ 2")]
    assert drawn(theirs) == drawn(ours)
    errors.count = 0
    await story.cli("retry", "rollout", "web")
    await story.reaches("Paused", currentStepIndex=1)

    async def both() -> bool:
        rows = drawn(await story.cli("get", "rollout", "web"))
        assert sorted(row[4] for row in rows) == ["Failed", "Successful"], rows
        return True

    await eventually(both, what="the second run")
    assert "Analyses:" not in await story.cli("explain", "web")
