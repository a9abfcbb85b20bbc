"""The wire: models, CRDs, values."""
