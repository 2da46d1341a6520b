"""Workflows for CI, of projects and of template repositories."""
