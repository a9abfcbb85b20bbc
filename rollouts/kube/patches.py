"""In which ways does an API server let us change an object?"""

from enum import Enum


class PatchType(Enum):
    """The four ways; the value is the content type."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"
