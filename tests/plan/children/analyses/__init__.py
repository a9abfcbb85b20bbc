"""Tests of a Rollout's analysis runs."""
