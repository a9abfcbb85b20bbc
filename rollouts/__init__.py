"""Progressive delivery for Kubernetes: canaries that explain themselves."""
