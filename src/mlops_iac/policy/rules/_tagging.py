"""Tags that everything has to have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_iac.clouds import registry
from mlops_iac.policy.context import Context, is_known, is_set
from mlops_iac.policy.model import Check, Violation


def missing_tags(path: str) -> Check:
    """A check of the rule's `tags`; `path` is where the blueprint says them.

    A tag that everything lacks is one finding: one line of the blueprint mends it.
    """

    def check(context: Context) -> Iterator[Violation]:
        tagged = [
            each
            for each in context.resources
            if registry.facts_of(each.type).tagged and is_known(each.inputs.get("tags"))
        ]
        for tag in context.parameter("tags"):
            lacking = [each for each in tagged if not _has(each.inputs.get("tags"), tag)]
            if lacking and len(lacking) == len(tagged):
                yield Violation(f"nothing has the tag '{tag}'", None, path)
                continue
            for each in lacking:
                yield Violation(f"the tag '{tag}' is missing", each)

    return check


def _has(tags: object, tag: str) -> bool:
    return isinstance(tags, Mapping) and is_set(tags.get(tag))
