"""What the ConfigMap of Argo Rollouts says, and what is said about its mistakes."""

import pytest

from rollouts.compiled.config import Entry, read_config
from rollouts.compiled.kit import with_compiled
from rollouts.ports.compiled import CompiledKind
from rollouts.registry import load_kit

SHA = "ab" * 32
ROUTERS = f"""
- name: argoproj-labs/gatewayAPI
  location: https://example.com/plugin
  sha256: {SHA.upper()}
  args: [-v, "2"]
  headersFrom: [{{secretRef: {{name: token}}}}]
"""
STEPS = """
- {name: a/one, location: "file:///plugins/one"}
- {name: a/two, location: "file:///plugins/two", disabled: true}
"""


def test_what_is_configured() -> None:
    config = read_config({"trafficRouterPlugins": ROUTERS, "stepPlugins": STEPS, "other": "{"})
    assert config.entries == (
        Entry(
            CompiledKind.ROUTER,
            "argoproj-labs/gatewayAPI",
            "https://example.com/plugin",
            SHA,
            ("-v", "2"),
            ("token",),
        ),
        Entry(CompiledKind.STEP, "a/one", "file:///plugins/one"),
    )
    assert config.disabled == {"a/two"}
    assert not config.broken
    assert not config.troubles


ONE = "name: a/b, location: "


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ("{name: b, location: file:///x}", '[0] (b): the name "b" must be like "namespace/name"'),
        ("{name: a/b}", "[0] (a/b): location: Field required"),
        (f"{{{ONE}/x}}", 'the location "/x" must begin with file:// or https://'),
        (f"{{{ONE}ftp://x/y}}", "must begin with file:// or https://"),
        (f"{{{ONE}http://x/y}}", "give its sha256, or use https://"),
        (f"{{{ONE}https://x/y, sha256: abc}}", "64 hexadecimal digits"),
        (f"{{{ONE}http://x/y, sha256: {SHA}, headersFrom: [{{secretRef: {{name: s}}}}]}}", "use https://"),
        (f"{{{ONE}'https://me:secret@x/y'}}", "put them into a Secret, and name it in headersFrom"),
        (f"{{{ONE}file:///x, disabled: true}}", "set disabled to false"),
        (f"{{{ONE}file:///x, sha: pass-word}}", "sha: Extra inputs are not permitted"),
        (f"{{{ONE}file:///x}}\n- {{{ONE}file:///y}}", "[1] (a/b): is there twice"),
    ],
)
def test_a_mistake_names_its_entry_and_the_way_out(item: str, says: str) -> None:
    config = read_config({"metricProviderPlugins": f"- {item}\n- {{name: a/good, location: file:///z}}"})
    (trouble,) = config.broken.values()
    assert trouble.startswith("ConfigMap argo-rollouts-config, metricProviderPlugins[")
    assert says in trouble
    assert "secret@" not in trouble
    assert "pass-word" not in trouble
    assert [each.name for each in config.entries] == ["a/good"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- [", "is no YAML (line 1): mend it"),
        ("a: b", "must be a list of plugins"),
        ("- text", "[0]: must have a name and a location"),
    ],
)
def test_a_mistake_about_no_plugin(text: str, says: str) -> None:
    (trouble,) = read_config({"stepPlugins": text}).troubles
    assert says in trouble


def test_a_compiled_plugin_goes_before_one_of_ours_and_a_mistake_leaves_none() -> None:
    ours = load_kit()
    config = read_config({"trafficRouterPlugins": ROUTERS, "stepPlugins": STEPS})
    kit = with_compiled(ours, config)
    router = kit.routers["argoproj-labs/gatewayAPI"]
    assert router.tells
    assert router.key == "argoproj-labs/gatewayAPI"
    assert kit.steps["a/one"].key == "a/one"
    assert kit.disabled == {"a/two"}
    assert kit.routers["nginx"] is ours.routers["nginx"]
    broken = with_compiled(ours, read_config({"trafficRouterPlugins": ROUTERS.replace("https", "ftp")}))
    assert "argoproj-labs/gatewayAPI" not in broken.routers
    assert "must begin with" in broken.broken["argoproj-labs/gatewayAPI"]
