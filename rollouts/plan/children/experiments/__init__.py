"""Which experiment does a Rollout have at its current step, and what comes of it?"""
