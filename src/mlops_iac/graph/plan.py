"""What a deployment would do: operations on resources, and the properties that differ.

Both engines answer with these; `graph.diff` makes them from two lock files. They stand here, below
the engines, so that everything that shows a plan needs no engine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mlops_iac.graph.model import Typed
from mlops_iac.values import Properties, Value

_SHOWN = 5

# Pulumi's own operation names, as `pulumi preview --json` prints them.
Operation = Literal[
    "same",
    "create",
    "update",
    "replace",
    "create-replacement",
    "delete-replaced",
    "delete",
    "read",
    "refresh",
]


# The sign of an operation, in every plan and picture.
# What the engine tells beside the replacement itself.
HALVES = ("create-replacement", "delete-replaced")
SIGNS: Mapping[str, str] = {
    "create": "+",
    "update": "~",
    "replace": "±",
    "delete": "−",
    "read": ">",
    "refresh": "↻",
    "same": " ",
}


@dataclass(frozen=True, slots=True)
class PropertyChange:
    """One property path that differs, with old and new value (redacted when shown).

    `replaces` says whether it makes the resource anew, None where nobody knows; `source` who says so.
    """

    path: str
    kind: Literal["add", "delete", "update"]
    old: Value = None
    new: Value = None
    replaces: bool | None = False  # None: no fact, so it may
    source: str = ""


@dataclass(frozen=True, slots=True)
class Step(Typed):
    """One operation on one resource.

    `type` is Pulumi's token, `custom` false for components and the stack itself. `replace_keys` are
    the properties that force a replacement. `old_…` are empty for what is new, `new_inputs` for what
    goes. `parent` and `dependencies` are URNs. `retained`: it leaves the state and stays in the
    cloud; `recorded`: validated, because the emulator lacks the operation. `reason` says
    why in one clause ("depends on …"), empty where the resource's own properties are it. `during` is
    the pass that does it (`2 of 3: traffic`), empty where a deployment takes but one.
    """

    op: Operation
    urn: str
    type: str
    name: str
    custom: bool = True
    changes: Sequence[PropertyChange] = ()
    replace_keys: Sequence[str] = ()
    old_inputs: Properties = field(default_factory=dict)
    new_inputs: Properties = field(default_factory=dict)
    old_outputs: Properties = field(default_factory=dict)
    id: str = ""
    provider: str = ""
    parent: str = ""
    dependencies: Sequence[str] = ()
    protect: bool = False
    delete_before_replace: bool = False
    retained: bool = False
    recorded: bool = False
    reason: str = ""
    during: str = ""


@dataclass(frozen=True, slots=True)
class Assumption:
    """What is taken for true of `models` whose versions nobody pins, as no registry is asked.

    `approved`: there is an approved version of each. `waiting` are the addresses of what is created
    only then, or would be.
    """

    models: Sequence[str]
    approved: bool = True
    waiting: Sequence[str] = ()

    @property
    def words(self) -> str:
        """The assumption as a clause."""
        named = ", ".join(self.models)
        if not self.approved:
            return f"as if no version of {named} were approved: {len(self.waiting)} resources wait for one"
        words = f"as if a version of {named}, which nobody pins, were approved"
        return f"{words}: {len(self.waiting)} resources wait for one" if self.waiting else words


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deployment would do, in the order it would do it.

    `engine` is `embedded` or `pulumi`; `against` is `state`, `lock` or `live`. `outputs` are the stack's afterwards, `diagnostics` sentences.
    `incomparable` are `address property` of hidden values of which nobody knows whether they are
    what they were. `assumed` is what the comparison takes for true, if anything.
    """

    stack: str
    project: str
    engine: str
    against: str  # "state" | "lock" | "live"
    steps: Sequence[Step]
    outputs: Properties = field(default_factory=dict)
    diagnostics: Sequence[str] = ()
    duration_seconds: float = 0.0
    incomparable: Sequence[str] = ()
    assumed: Assumption | None = None

    @property
    def doubts(self) -> Sequence[str]:
        """A note on what could not be compared, where there is any of it."""
        if not self.incomparable:
            return ()
        names = ", ".join(self.incomparable[:_SHOWN])
        more = len(self.incomparable) - _SHOWN
        names += f" and {more} more" if more > 0 else ""
        told = "a lock file that `mlops-iac compile` writes now tells all but marked secrets apart"
        return (f"cannot be compared, as it is hidden: {names}; {told}",)

    @property
    def changes(self) -> list[Step]:
        """Every step but `same`."""
        return [step for step in self.steps if step.op != "same"]

    @property
    def size(self) -> int:
        """How many resources it changes, as its summary in words counts them."""
        return sum(number for op, number in count(self.steps).items() if op not in ("same", "read"))

    def summary(self) -> dict[str, int]:
        """Number of steps by operation."""
        return dict(Counter(step.op for step in self.steps))


def count(steps: Sequence[Step]) -> Mapping[str, int]:
    """Count steps by operation: a replacement once, components and the stack not at all."""
    return Counter(step.op for step in steps if is_shown(step))


def is_shown(step: Step) -> bool:
    """Whether a step is a resource's, and not a half of a replacement or a component's."""
    return step.op not in HALVES and step.in_cloud
