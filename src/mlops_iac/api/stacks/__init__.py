"""Environments as stacks: listed, compared, added and removed, promoted, made for a while."""
