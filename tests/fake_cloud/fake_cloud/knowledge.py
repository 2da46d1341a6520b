"""What is true of the types of the fake cloud, each fact in one table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256

from fake_cloud.types import BUCKET, PIPELINE, PROPERTIES, SERVICE
from mlops_iac.clouds.knowledge import Differing, RiskKind, TypeFacts
from mlops_iac.graph.plan import Step

_SIZES = ("tiny", "huge")


class FakeKnowledge:
    """The tables, and what is told of a step by what it says in the cloud's words."""

    types: Mapping[str, TypeFacts] = {
        BUCKET: TypeFacts(holds="its objects", precious=True, tagged=True),
        PIPELINE: TypeFacts(holds="its registered versions", precious=True, tagged=True),
        SERVICE: TypeFacts(answers="its callers", endpoint=True, tagged=True),
    }
    rules: Sequence[str] = ("fake_cloud.rules.encrypted_bucket",)
    families: Mapping[str, str] = {"store": "storage", "learn": "learning", "serve": "learning"}
    identities: Collection[str] = ("name", "url")
    machines: Collection[str] = ("size",)
    largest: Sequence[str] = ("huge",)
    counts: Mapping[str, str] = {"replicas": "copies"}

    def smaller(self, old: str, new: str) -> bool:
        return old in _SIZES and new in _SIZES and _SIZES.index(new) < _SIZES.index(old)

    def always_on(self, step: Step) -> Iterator[str]:
        if step.type == SERVICE and not step.new_inputs.get("schedule"):
            yield "one instance"

    def risks(self, step: Step, values: Sequence[Differing]) -> Iterator[tuple[RiskKind, str]]:
        if any(path == "encrypted" and not new for path, _, new in values):
            yield "protection-removed", "its objects are no longer encrypted"

    def refused(self, steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
        return iter(())

    def watches(self, step: Step) -> str:
        return ""

    def sensitive(self, type_: str) -> frozenset[str]:
        return frozenset()

    def replaces(self, type_: str, path: str) -> tuple[bool | None, str]:
        found = PROPERTIES.get(type_, {}).get(path.split(".")[0])
        return (found, "" if found is None else "fake 1.0.0")

    def facts_digest(self) -> str:
        return sha256(repr(PROPERTIES).encode()).hexdigest()
