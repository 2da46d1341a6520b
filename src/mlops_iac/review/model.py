"""What a reviewer is shown: steps with their causes, consequences and risks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlops_iac.clouds.knowledge import RiskKind
from mlops_iac.graph.plan import Step
from mlops_iac.policy.model import Finding

# `blueprint`: a line of it. `tool`: another version of mlops-iac or of an SDK. `follows`: another
# resource's change (`path` is its address). `unknown`: could not be told; a note says why.
CauseKind = Literal["blueprint", "tool", "follows", "unknown"]
Noise = Literal["", "tags", "hash"]
# What a risk is called, in the order in which risks are told: what cannot be undone first.
RISKS: Mapping[RiskKind, str] = {
    "own-rules": "Changes what judges it",
    "refused": "Is refused",
    "data-loss": "Loses data",
    "downtime": "Downtime",
    "network-opening": "Opens the network",
    "wider-permission": "Wider permission",
    "protection-removed": "Removes protection",
    "cost": "Costs",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a step is there.

    `path` is the blueprint path (`serving.api.compute.size`), `file` and `line` where its new value
    is written (the old one's place where it is gone; line 0 where no line says it: a changed file).
    `old` and `new` are the values as written, None where there is none.
    """

    path: str
    file: str = ""
    line: int = 0
    old: Any = None
    new: Any = None
    kind: CauseKind = "blueprint"

    @property
    def place(self) -> str:
        """`blueprint.yaml:41 serving.api.compute.size`."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where} {self.path}".strip()


@dataclass(frozen=True, slots=True)
class Risk:
    """One thing to look at before anything else, in one sentence."""

    kind: RiskKind
    address: str
    words: str


@dataclass(frozen=True, slots=True)
class ReviewedStep:
    """A step, why it is there, what it pulls along and what it puts at risk.

    `follows` are the addresses of changed resources that pull this one along; `noise` says that
    nothing but tags, or nothing but digests of the same content, differs.
    """

    step: Step
    causes: Sequence[Cause] = ()
    follows: Sequence[str] = ()
    risks: Sequence[Risk] = ()
    noise: Noise = ""

    @property
    def address(self) -> str:
        """`module.Type/name`."""
        return self.step.address


@dataclass(frozen=True, slots=True)
class Review:
    """What a change does to one stack, as it is shown, saved and posted. Holds no secrets.

    `against` says in words what was compared with. `steps` come in the order of deployment, those
    that change nothing included. `risks` are those of all steps, the worst kinds first.
    `outputs_unknown` are stack outputs that are known only after the deployment. `tool_changes`
    come from another version of the tool and stand apart from `steps`. `plan_hash` identifies the
    operations and their inputs, `sha` the commit reviewed ("" outside of a repository).
    """

    project: str
    stack: str
    platform: str
    engine: str
    against: str
    steps: Sequence[ReviewedStep]
    risks: Sequence[Risk] = ()
    outputs_unknown: Sequence[str] = ()
    tool_changes: Sequence[ReviewedStep] = ()
    policies: Sequence[Finding] = ()
    plan_hash: str = ""
    sha: str = ""
    notes: Sequence[str] = ()

    @property
    def changes(self) -> list[ReviewedStep]:
        """Every step but those that change nothing."""
        return [reviewed for reviewed in self.steps if reviewed.step.op != "same"]

    def to_json(self) -> dict[str, Any]:
        """The saved form, redacted: what `pr comment --from` reads."""
        from mlops_iac.review.saved import to_json

        return to_json(self)

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Review:
        """A saved review. Raises UsageError for one of a newer format or that is none."""
        from mlops_iac.review.saved import from_json

        return from_json(data)
