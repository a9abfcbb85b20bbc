"""Is the picture of the page about statistics current? GOLDEN=rewrite draws it anew."""

import os

from tests.docs.pages import ROOT
from tests.judge.picture import picture

FILE = ROOT / "docs" / "explanation" / "statistics.svg"


def test_the_picture_is_current() -> None:
    drawn = picture()
    if os.environ.get("GOLDEN") == "rewrite":
        FILE.write_text(drawn)
    assert FILE.read_text() == drawn, "GOLDEN=rewrite pytest tests/judge/test_picture.py"
