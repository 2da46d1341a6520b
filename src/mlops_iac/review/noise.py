"""Steps that change nothing anybody has to look at."""

from __future__ import annotations

import re

from mlops_iac.graph.plan import Step
from mlops_iac.review.model import Noise

_TAGS = re.compile(r"(?:tags|tagsAll|labels)(?:\.|\[|\Z)")
_DIGEST = re.compile(r"(?:\A|\.)(?:source|sourceHash|sourceCodeHash|code|archive|etag|md5)\Z")
_DIGEST_IN_TEXT = re.compile(r"[0-9a-f]{12,64}|[A-Za-z0-9+/]{43}=")


def noise(step: Step, *, same_content: bool = False) -> Noise:
    """Whether nothing but tags differs, or nothing but digests of the same content.

    `same_content` says that both sides were made from the same files: only then is another digest
    another packing and not another content.
    """
    if step.op != "update" or not step.changes:
        return ""
    if all(_TAGS.match(change.path) for change in step.changes):
        return "tags"
    if same_content and all(
        _DIGEST.search(change.path) or _same_but_digests(change.old, change.new)
        for change in step.changes
    ):
        return "hash"
    return ""


def _same_but_digests(old: object, new: object) -> bool:
    """Whether two texts differ in nothing but digests (`code/ab12….tar.gz`)."""
    if not (isinstance(old, str) and isinstance(new, str)) or old == new:
        return False
    return _DIGEST_IN_TEXT.sub("", old) == _DIGEST_IN_TEXT.sub("", new)
