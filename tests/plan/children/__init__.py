"""What a Rollout sets going beside its pods."""
