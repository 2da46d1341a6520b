"""Components that come or go as a whole: told in one line, not resource by resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from mlops_iac.graph.model import address_of
from mlops_iac.graph.plan import Step

_KINDS = 4


def whole(steps: Iterable[Step], ops: Sequence[str] = ("create",)) -> frozenset[str]:
    """URNs of the components all of whose resources have the same one of `ops`.

    `steps` are all of a plan, those that change nothing included.
    """
    found: dict[str, list[str]] = {}
    for step in steps:
        if step.in_cloud:
            found.setdefault(step.parent, []).append(step.op)
    return frozenset(
        urn for urn, done in found.items() if urn and done[0] in ops and len(set(done)) == 1
    )


def kinds(steps: Iterable[Step], shown: Callable[[str], str] = str) -> str:
    """`module.Type ×4, module.Other ×4, …`: what the resources are; the address of a single one.

    The most frequent first, and of those the shortest, which the others are settings of. `shown`
    makes what comes from the plan fit where it is to stand.
    """
    found = list(steps)
    if len(found) == 1:
        return shown(found[0].address)
    counted = sorted(
        Counter(address_of(step.type, "").removesuffix("/") for step in found).items(),
        key=lambda item: (-item[1], len(item[0]), item[0]),
    )
    words = [f"{shown(kind)} ×{many}" if many > 1 else shown(kind) for kind, many in counted]
    more = len(words) - _KINDS
    rest = [f"{more} other kind{'s' * (more > 1)}"] if more > 0 else []
    return ", ".join([*words[:_KINDS], *rest])
