"""Properties set by resource address, after the components have had their say.

The last rung before ejecting a component: `overrides:` in a blueprint prints one `Overrides` into
the program. Both engines run it, because it is a plain stack transformation.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from inspect import signature
from typing import Any

import pulumi
from pulumi._types import resource_pulumi_to_py_names
from pulumi.runtime.rpc import _special_sig_key

from .settings import SettingError, Settings


class OverrideError(SettingError):
    """An override names no resource, or a property that its resource does not have.

    `path` is where it stands in the blueprint.
    """

    def __init__(self, message: str, address: str, *keys: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        shown = f'"{address}"' if "." in address else address
        self.path = ".".join(("overrides", shown, *keys))


class Overrides:
    """Sets input properties of resources by address (`module.Type/name`).

    Properties are top-level ones, as Pulumi or as its Python SDK spells them (`keyName`,
    `key_name`); None removes one. Make it before the first component and call `verify` last.
    """

    def __init__(self, properties: Mapping[str, Mapping[str, Any]]) -> None:
        self._properties = properties
        self._matched: set[str] = set()
        self._seen: list[str] = []
        pulumi.runtime.register_stack_transformation(self._apply)

    def _apply(
        self, args: pulumi.ResourceTransformationArgs
    ) -> pulumi.ResourceTransformationResult | None:
        if not isinstance(args.resource, pulumi.CustomResource):
            return None
        address = _address(args.type_, args.name)
        self._seen.append(address)
        wanted = self._properties.get(address)
        if wanted is None:
            return None
        self._matched.add(address)
        names = resource_pulumi_to_py_names(type(args.resource))
        props = dict(args.props)
        for property_, value in wanted.items():
            name = names.get(property_, property_)
            # The SDK hands over every input by its Python name, unset ones as None.
            if name not in props:
                raise OverrideError(
                    f"overrides: {address} has no property {property_!r}",
                    address,
                    property_,
                    hint=_nearest(property_, [*names, *props]),
                )
            if _is_file(type(args.resource), name) or _names_file(value):
                raise OverrideError(
                    f"overrides: {property_!r} of {address} cannot name a file to upload",
                    address,
                    property_,
                    hint="what is uploaded comes from `source` and `code`: change the file there",
                )
            if _is_output(type(args.resource), name):
                raise OverrideError(
                    f"overrides: {property_!r} of {address} is what the cloud answers:"
                    " an override of it does nothing",
                    address,
                    property_,
                    hint="set one that goes in",
                )
            props[name] = value
        return pulumi.ResourceTransformationResult(props, args.opts)

    def verify(self, settings: Settings) -> None:
        """Raise OverrideError for an address that no resource of the program has.

        Only warn while an optional setting is absent: what it would add may be what is meant.
        """
        for address in sorted(set(self._properties) - self._matched):
            message = f"overrides: no resource has the address {address!r}"
            if settings.absent:
                pulumi.log.warn(f"{message}; not set yet: {', '.join(sorted(settings.absent))}")
                continue
            raise OverrideError(message, address, hint=_nearest(address, self._seen))


def _address(type_: str, name: str) -> str:
    """`graph.model.address_of`, which stays behind when this goes along with the program."""
    package, module, short = type_.split(":", 2)
    module = module.split("/")[0]
    return f"{package if module in ('', 'index') else module}.{short}/{name}"


def _is_output(resource: type[pulumi.Resource], name: str) -> bool:
    """Whether a property only comes out; the SDK hands those over too, as None.

    Classes that Pulumi generates name every input in
    `_internal_init`; of others nothing is known.
    """
    made = getattr(resource, "_internal_init", None)
    return made is not None and name not in signature(made).parameters


def _is_file(resource: type[pulumi.Resource], name: str) -> bool:
    """Whether a property takes a file: a path there would be read from this machine."""
    of_type = getattr(getattr(resource, name, None), "fget", None)
    said = str(getattr(of_type, "__annotations__", {}).get("return", ""))
    return "Asset" in said or "Archive" in said


def _names_file(value: Any) -> bool:
    """Whether a value has the marks by which an engine knows a file."""
    if isinstance(value, Mapping):
        return _special_sig_key in value or any(map(_names_file, value.values()))
    return isinstance(value, list | tuple) and any(map(_names_file, value))


def _nearest(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(close)}?" if close else "see `mlops-iac graph` for addresses"
