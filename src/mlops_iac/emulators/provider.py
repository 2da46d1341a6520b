"""The provider interface: Pulumi's own verbs, in plain Python.

The `embedded` engine calls it in-process; `emulators/plugin.py` serves it over gRPC to the real
CLI. Source of the semantics: pulumi/proto/provider.proto, `ResourceProvider`.
Keys are Pulumi's camelCase property names; paths are written `productionVariants[0].instanceType`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from mlops_iac.values import Properties, Value

# (property, shape) → stand-in; see `graph/standins.py`.
MakeStandIn = Callable[[str, str], str]
DiffKind = Literal["add", "delete", "update"]


@dataclass(frozen=True, slots=True)
class CheckFailure:
    """One input property that the provider refuses, and why."""

    property: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Inputs with the provider's defaults and the automatic name filled in."""

    inputs: Properties
    failures: Sequence[CheckFailure] = ()


@dataclass(frozen=True, slots=True)
class PropertyDiff:
    """One property path that differs.

    `replaces`: True forces a replacement, False does not, None: no fact, so it may.
    `source` names where that is known from (`PROVIDER VERSION`), empty without a fact.
    `values` are old and new where the inputs do not tell them.
    """

    kind: DiffKind
    replaces: bool | None = False
    source: str = ""
    values: tuple[Value, Value] | None = None


@dataclass(frozen=True, slots=True)
class DiffResult:
    """What changes between old and new inputs."""

    detailed: Mapping[str, PropertyDiff] = field(default_factory=dict)
    delete_before_replace: bool = False
    # Top-level output properties that keep their old value in an update.
    stables: Sequence[str] = ()
    # Something differs, also where no path names it.
    differs: bool = False

    @property
    def changes(self) -> bool:
        """Whether anything differs."""
        return self.differs or bool(self.detailed)

    @property
    def replace_keys(self) -> list[str]:
        """Paths that force a replacement."""
        return [path for path, diff in self.detailed.items() if diff.replaces is True]


@dataclass(frozen=True, slots=True)
class ResourceState:
    """What exists: `inputs` as a user would have written them, `outputs` with everything else.

    `recorded` is True for what the emulator lacks: validated and kept in the state, not emulated.
    """

    id: str
    inputs: Properties
    outputs: Properties
    recorded: bool = False


class ProviderError(Exception):
    """A call that failed; `partial` is what exists nevertheless (Pulumi's initErrors)."""

    def __init__(self, message: str, *, partial: ResourceState | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.partial = partial


class Provider(Protocol):
    """One emulated cloud. Calls may come from several threads at once."""

    @property
    def package(self) -> str:
        """Pulumi's name of the package."""

    @property
    def version(self) -> str:
        """Version of the SDK whose resources it stands for."""

    def configure(self, stack: str, config: Properties) -> None:
        """Take the provider's configuration. Raises ProviderError for any stack but `local`.

        A copy of this object is configured on its own: it serves a provider resource of the program.
        """

    def supports(self, type_: str) -> bool:
        """Whether this provider knows the resource type."""

    def records(self, type_: str) -> bool:
        """Whether resources of the type are only validated and recorded: the emulator has none."""

    def check(
        self,
        urn: str,
        type_: str,
        olds: Properties | None,
        news: Properties,
        seed: bytes,
        proposed: str | None = None,
    ) -> CheckResult:
        """Validate and complete inputs; names are final after it.

        They are `proposed`, what the stack's configuration makes of the logical name, or depend
        on `seed` alone.
        """

    def diff(
        self,
        type_: str,
        id_: str,
        old_inputs: Properties,
        old_outputs: Properties,
        new_inputs: Properties,
        ignore_changes: Sequence[str] = (),
    ) -> DiffResult:
        """Compare by meaning. An unknown over a force-new path counts as a change."""

    def preview_outputs(
        self, type_: str, inputs: Properties, old: ResourceState | None, diff: DiffResult | None
    ) -> Properties:
        """Outputs as far as known before anything happens; UNKNOWN for the rest."""

    def stand_ins(
        self, type_: str, name: str, inputs: Properties, make: MakeStandIn
    ) -> tuple[str, Properties]:
        """Id and outputs for symbolic capture: inputs plus a stand-in for everything computed.

        Must be cheap: no network, no emulator, no SDK of a cloud.
        """

    def create(self, urn: str, type_: str, inputs: Properties, token: str) -> ResourceState:
        """Create. `token` identifies the operation for `find` after a crash."""

    def read(self, type_: str, id_: str, known: ResourceState | None) -> ResourceState | None:
        """What exists now, or None where it is gone."""

    def update(
        self, urn: str, type_: str, old: ResourceState, new_inputs: Properties
    ) -> ResourceState:
        """Change in place."""

    def delete(self, type_: str, state: ResourceState) -> None:
        """Delete; absent already is success."""

    def find(self, type_: str, inputs: Properties, token: str) -> ResourceState | None:
        """What an interrupted `create` left behind, or None."""

    def invoke(self, token: str, args: Properties) -> Mapping[str, Value]:
        """A data source, by its token (`PACKAGE:index/getCallerIdentity:getCallerIdentity`)."""
