"""Is the picture of the page about the judge current, and does it show what the page says? GOLDEN=rewrite draws it."""

import os

from tests.docs.pages import ROOT
from tests.measure.judge_picture import picture, run_of

FILE = ROOT / "docs" / "how-to" / "judge.svg"


def test_the_picture_is_current() -> None:
    drawn = picture()
    if os.environ.get("GOLDEN") == "rewrite":
        FILE.write_text(drawn)
    assert FILE.read_text() == drawn, "GOLDEN=rewrite pytest tests/measure/test_judge_picture.py"


def test_it_shows_a_bad_and_a_good_canary() -> None:
    bad, good = run_of(0.02), run_of(0.01)
    assert (bad.raw["status"]["phase"], good.raw["status"]["phase"]) == ("Failed", "Successful")
    assert bad.seconds == 390
    assert "shown to be within" in good.result["message"]
