"""Do we know the API's objects as plugins are compiled with them?"""

import subprocess
from pathlib import Path

from e2e.venv import ROOT


def test_the_types_of_plugins_are_current(compiled_plugins: Path) -> None:
    told = subprocess.run([compiled_plugins / "types"], check=True, capture_output=True, text=True, timeout=60)
    assert told.stdout == (ROOT / "rollouts" / "goplugin" / "argo.types").read_text()
