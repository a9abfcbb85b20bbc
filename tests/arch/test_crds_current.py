"""The files in manifests/crds are what the models say today."""

from pathlib import Path

from rollouts.api.crds import manifests

CRDS = Path(__file__).parents[2] / "manifests" / "crds"


def test_the_definitions_are_current() -> None:
    written = {path.name: path.read_text() for path in CRDS.glob("*.yaml")}
    stale = sorted(name for name, text in manifests().items() if written.get(name) != text)
    assert not stale, f"stale: {', '.join(stale)}; run `rollouts crds --output manifests/crds`"
    assert written.keys() == manifests().keys()
