"""Which traffic routers does this project have, installed or not?"""

import tomllib
from importlib.metadata import EntryPoint

from rollouts.ports.router import AnyRouter
from tests.docs.pages import ROOT

_GROUP = "rollouts.traffic"


def declared() -> dict[str, AnyRouter]:
    """Return the routers that pyproject.toml registers."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    every = project["entry-points"][_GROUP].items()
    return {key: EntryPoint(key, place, _GROUP).load()() for key, place in every}
