"""IAM policies by meaning: one entry may be written as a list, and actions have no order."""

from __future__ import annotations

from typing import Any

from mlops_iac.emulators.common.comparing import as_text


def canonical(document: Any) -> Any:
    """A JSON document in which IAM policies that mean the same are equal."""
    match document:
        case {"Statement": _}:
            return {key: _policy(key, item) for key, item in document.items()}
        case dict():
            return {key: canonical(item) for key, item in document.items()}
        case list():
            return [canonical(item) for item in document]
        case _:
            return document


def _policy(key: str, value: Any) -> Any:
    """An IAM document: a single value equals a list of one, and actions have no order."""
    if key == "Statement":
        return [
            {k: _policy(k, v) for k, v in item.items()} if isinstance(item, dict) else item
            for item in (value if isinstance(value, list) else [value])
        ]
    if key in ("Principal", "NotPrincipal", "Condition") and isinstance(value, dict):
        return {k: _policy(k, v) for k, v in value.items()}
    if isinstance(value, dict):
        return {k: _policy(k, v) for k, v in value.items()}
    if isinstance(value, list):
        plain = [str(item) for item in value]
        return sorted(plain) if len(plain) > 1 else plain[0] if plain else []
    return as_text(value)
