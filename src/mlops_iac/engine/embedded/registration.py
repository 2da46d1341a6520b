"""One resource as the program registers it, and the refusal of what is not implemented."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from mlops_iac.emulators import wire
from mlops_iac.errors import MlopsError
from mlops_iac.graph.model import STACK_TYPE, Resource, address_of
from mlops_iac.values import Properties, Secret, Value, reveal

# Where a dynamic resource carries its provider. It may hold anything, so it is a secret always.
DYNAMIC_PROVIDER: Final = "__provider"
# A type in the module of one dated API (`package:module/v20250401:Type`). Some SDKs give each resource its
# thirty former types of that kind as aliases; no state of this engine ever had one of them.
_DATED: Final = re.compile(r":[a-z]+/v\d{8}(preview|privatepreview)?:\w+::")

# Fields of RegisterResourceRequest (SDK 3.272) that are implemented or without effect. Everything
# else that is set is refused, so that a new SDK cannot ask for what nobody answers.
_IMPLEMENTED: Final = frozenset(
    [
        "type",
        "name",
        "parent",
        "custom",
        "object",
        "protect",
        "dependencies",
        "propertyDependencies",
        "deleteBeforeReplace",
        "deleteBeforeReplaceDefined",
        "version",
        "provider",
        "ignoreChanges",
        "additionalSecretOutputs",
        "aliasURNs",
        "customTimeouts",
        "replaceOnChanges",
        "retainOnDelete",
        "deletedWith",
    ]
)
_WITHOUT_EFFECT: Final = frozenset(
    [
        "acceptSecrets",
        # Of a component: the SDK hands them on to its children itself.
        "providers",
        "acceptResources",
        "supportsPartialValues",
        "supportsResultReporting",
        "sourcePosition",
        "stackTrace",
        "parentStackTraceHandle",
        "accepts_byte_string",
    ]
)
_OPTION_NAMES: Final = {
    "importId": "import_",
    "aliases": "aliases (alias specs)",
    "remote": "a remote component",
    "packageRef": "a parameterized provider",
    "pluginDownloadURL": "plugin_download_url",
    "replacement_trigger": "replacement_trigger",
    "replace_with": "replace_with",
    "hideDiffs": "hide_diffs",
    "envVarMappings": "env_var_mappings",
}


@dataclass(frozen=True, slots=True)
class Registration(Resource):
    """What the program said about one resource. `delete_before_replace` is None if not said.

    `provider` is URN and id of the provider resource that the program gave it; empty for its
    package's default.
    """

    version: str = ""
    custom_timeouts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the program gets back. `failed` resolves every output as unknown."""

    urn: str
    id: str = ""
    outputs: Properties = field(default_factory=dict)
    failed: bool = False
    # Outputs that are missing are unknown, and not nothing.
    open: bool = False


class Handler(Protocol):
    """What stands behind the monitor: symbolic capture, or a deployment."""

    def register(self, registration: Registration) -> Answer:
        """Called from worker threads, several at once."""

    def failed(self, error: BaseException) -> None:
        """A request could not be served, and why."""

    def register_outputs(self, urn: str, outputs: Properties) -> None:
        """Outputs of a component or of the stack."""

    def invoke(self, token: str, args: Properties, provider: str) -> Mapping[str, Value]:
        """A data source; `provider` is URN and id of the program's own provider, if it gave one."""

    def log(self, severity: str, message: str) -> None:
        """A message of the program: `info`, `warning` or `error`."""


def make_urn(stack: str, project: str, parent: str, type_: str, name: str) -> str:
    """The URN with the whole chain of parent types (source: pulumi sdk/go/common/resource/urn)."""
    if parent:
        chain = parent.split("::", 3)[2]
        if chain.split("$")[-1] != STACK_TYPE:
            type_ = f"{chain}${type_}"
    return f"urn:pulumi:{stack}::{project}::{type_}::{name}"


def refuse_unimplemented(request: Any) -> None:
    """Raise MlopsError naming resource and option for a request field that nobody implements."""
    address = address_of(request.type, request.name)
    for descriptor, value in request.ListFields():
        name = descriptor.name
        if name in _IMPLEMENTED or name in _WITHOUT_EFFECT:
            continue
        if name == "hooks" and not value.ListFields():
            continue
        option = _OPTION_NAMES.get(name, name)
        raise MlopsError(
            f"{address}: the option {option} is not implemented by the embedded engine",
            hint="leave it out, or deploy with `--engine pulumi`",
        )


def decode(request: Any, urn: str, read_asset: wire.ReadAsset) -> Registration:
    """A RegisterResourceRequest as a `Registration`. Raises MlopsError for what is refused."""
    refuse_unimplemented(request)
    timeouts = request.customTimeouts
    try:
        inputs = wire.from_struct(request.object, read_asset)
    except MlopsError as error:
        address = address_of(request.type, request.name)
        raise MlopsError(f"{address}: {error.message}", hint=error.hint) from error
    return Registration(
        urn=urn,
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        # A property that is null is one that was not set: the real engine drops it, too.
        inputs={
            key: Secret(reveal(value)) if key == DYNAMIC_PROVIDER else value
            for key, value in inputs.items()
            if value is not None
        },
        dependencies=tuple(sorted(request.dependencies)),
        property_dependencies={
            key: tuple(sorted(item.urns))
            for key, item in sorted(request.propertyDependencies.items())
        },
        version=request.version,
        provider=request.provider,
        protect=request.protect,
        retain_on_delete=request.retainOnDelete,
        delete_before_replace=(
            request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None
        ),
        ignore_changes=tuple(request.ignoreChanges),
        replace_on_changes=tuple(request.replaceOnChanges),
        additional_secret_outputs=tuple(request.additionalSecretOutputs),
        aliases=tuple(each for each in request.aliasURNs if not _DATED.search(each)),
        deleted_with=request.deletedWith,
        custom_timeouts={
            key: getattr(timeouts, key)
            for key in ("create", "update", "delete", "read")
            if getattr(timeouts, key)
        },
    )


def inherited_aliases(registration: Registration, above: Sequence[str]) -> list[str]:
    """URNs that a resource had under its parent's former names, `above`.

    A child whose name begins with its parent's had the parent's former name there. Source: pulumi
    pkg/resource/deploy/step_generator.go, `inheritedChildAlias`; the SDK leaves it to the engine.
    """
    parent_name = registration.parent.rsplit("::", 1)[-1]
    found = []
    for alias in above:
        head, former = alias.rsplit("::", 1)
        name = registration.name
        if name.startswith(parent_name):
            name = former + name[len(parent_name) :]
        found.append(f"{head}${registration.type}::{name}")
    return found
