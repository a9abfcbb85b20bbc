"""From a Deployment to a Rollout and back."""
