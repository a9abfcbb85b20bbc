"""Which analysis runs does a Rollout have? Four slots: before and after promotion, in the background, at a step."""
