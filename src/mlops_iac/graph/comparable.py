"""Graphs whose hidden values can be told apart without being shown: those of lock files.

What is hidden in a lock stands, as the literal that it is, in the program beside it; a lock is
reviewed and quoted alone, though. So a value is told by a slow, salted digest: a short secret in a
quoted lock costs 16 MiB and some 40 ms for every guess. The salt is the project: no table serves
two, and the same value gives the same bytes in every compile, on every machine, with nothing
carried from lock to lock. What a program or the engine marks as a secret (`Secret`) may stand
nowhere else, so it has no digest: whether it changed cannot be told, and that is said.
"""

from __future__ import annotations

import hashlib
import json
import marshal
from collections.abc import Sequence
from functools import lru_cache

from mlops_iac.graph.canonical import CanonicalGraph, canonical, canonical_value, walk
from mlops_iac.graph.model import ResourceGraph
from mlops_iac.graph.redact import is_hidden, without_digests
from mlops_iac.values import Value, contains_secret, contains_unknown


def comparable(graph: ResourceGraph) -> CanonicalGraph:
    """The canonical form, with digests of what it hides."""

    def hide(value: Value, placeholder: str) -> str:
        if contains_secret(value) or contains_unknown(value):
            return placeholder
        text = json.dumps(canonical_value(value), sort_keys=True, ensure_ascii=False)
        return f"{placeholder[:-1]} scrypt:{_digest(graph.project, text)}]"

    return canonical(graph, hide=hide)


def incomparable(old: CanonicalGraph, new: CanonicalGraph) -> Sequence[str]:
    """`address property` of what is hidden in both and not known to be the same or another."""
    before = {each.urn: each for each in old.resources}
    found = [
        f"{each.address} {path}"
        for each in new.resources
        if (was := before.get(each.urn)) is not None
        for path in _hidden(was.inputs, new=each.inputs)
    ]
    return [*found, *(f"output {path}" for path in _hidden(old.outputs, new=new.outputs))]


def _hidden(old: Value, *, new: Value) -> list[str]:
    # A graph has a hundred thousand values, and hides a few.
    if not all(b"secret" in marshal.dumps(side) for side in (old, new)):
        return []
    before = dict(walk(old, ""))
    return [
        path
        for path, value in walk(new, "")
        if is_hidden(value)
        and is_hidden(was := before.get(path))
        and (without_digests(value) == value or without_digests(was) == was)
    ]


@lru_cache(maxsize=4096)  # a value stands in many stacks and is looked at in many captures
def _digest(project: str, text: str) -> str:
    return hashlib.scrypt(
        text.encode("utf-8", "surrogatepass"),
        salt=f"mlops-iac lock of {project}".encode(),
        n=2**14, r=8, p=1, dklen=16,
    ).hex()  # fmt: skip
