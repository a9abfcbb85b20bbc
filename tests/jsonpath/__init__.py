"""Kubernetes' JSONPath."""
