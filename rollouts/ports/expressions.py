"""How is a text written in a regular expression, such that it means itself?"""

import re


def literal(text: str) -> str:
    """Return an expression that matches this text only, in the dialects of RE2 and PCRE alike."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", text)
