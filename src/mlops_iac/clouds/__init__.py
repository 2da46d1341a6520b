"""Platforms: resolved blueprint in, component calls out."""
