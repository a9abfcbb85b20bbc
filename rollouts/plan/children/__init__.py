"""What does a Rollout set going beside its pods? Its analysis runs and experiments: named, made, heard, and ended."""
