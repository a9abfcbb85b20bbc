"""A cluster as data: try a rollout out, in no time and without a cluster."""
