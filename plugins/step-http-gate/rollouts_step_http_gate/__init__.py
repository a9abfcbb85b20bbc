"""May the rollout go on? A step that asks a service over HTTP: a calendar of change freezes, people who approve."""

from rollouts_step_http_gate.step import HttpGate

__all__ = ["HttpGate"]
