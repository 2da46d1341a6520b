"""Secrets of a resource, marked again in what came back in clear."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_iac.values import Secret, Value, contains_secret, reveal


def mark_like(value: Value, pattern: Value) -> Value:
    """`value` with a secret wherever `pattern` has one; what is of another shape, as a whole."""
    match pattern:
        case Secret():
            return value if isinstance(value, Secret) else Secret(reveal(value))
        case Mapping() if isinstance(value, Mapping):
            # What is secret and has no place of that name may have come back under another.
            if any(contains_secret(item) for key, item in pattern.items() if key not in value):
                return Secret(reveal(value))
            return {
                key: mark_like(item, pattern[key]) if key in pattern else item
                for key, item in value.items()
            }
        case list() | tuple() if isinstance(value, list | tuple):
            if len(value) == len(pattern):
                return [mark_like(a, b) for a, b in zip(value, pattern, strict=True)]
            return Secret(reveal(value)) if contains_secret(pattern) else value
        case _ if contains_secret(pattern) and not isinstance(value, Secret):
            return Secret(reveal(value))
    return value
