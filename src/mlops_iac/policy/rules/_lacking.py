"""What rules about a setting that must be there have in common."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.policy.context import Context, is_set
from mlops_iac.policy.model import Check, Violation


def lacking(type_: str, *settings: str, message: str, path: str = "") -> Check:
    """A check that finds the resources of a type that have none of these settings."""

    def check(context: Context) -> Iterator[Violation]:
        for each in context.of_type(type_):
            if not any(is_set(each.inputs.get(name)) for name in settings):
                yield Violation(message, each, path)

    return check
