"""Is somebody at work to look at the canary? A step that holds a rollout outside of office hours."""

from office_hours.step import OfficeHours

__all__ = ["OfficeHours"]
