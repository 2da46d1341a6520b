"""Registered model versions, and runs of the pipelines that make them."""
