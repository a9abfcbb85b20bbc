"""Which words does an experiment's status use, and which of them are the last?"""

PENDING, PROGRESSING, RUNNING = "Pending", "Progressing", "Running"
SUCCESSFUL, FAILED, ERROR, INCONCLUSIVE = "Successful", "Failed", "Error", "Inconclusive"

ENDED = frozenset({SUCCESSFUL, FAILED, ERROR, INCONCLUSIVE})
"""Phases and statuses that nothing follows."""

BAD_TEMPLATE = (ERROR, FAILED)
BAD_ANALYSIS = (INCONCLUSIVE, ERROR, FAILED)
"""What decides against an experiment, the worst last."""
