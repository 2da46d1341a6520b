"""The resource types that are emulated: all that are in the tables, in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from mlops_iac.emulators.azure import kinds, tables
from mlops_iac.emulators.azure.arm import ArmError
from mlops_iac.emulators.azure.bodies import from_body, to_body
from mlops_iac.emulators.azure.tables import Row
from mlops_iac.emulators.common.handler import Handler
from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.common.schema import Spec, TypeSchema
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties, Value, reveal

_IDENTITIES = "userAssignedIdentities"


class ArmHandler(Handler):
    """One type, as its row says."""

    row: Row
    _schema: TypeSchema

    @property
    def schema(self) -> TypeSchema:
        """Names and types of the SDK."""
        return self._schema

    def id_of(self, outputs: Properties) -> str:
        """The id; of inputs alone, one without a subscription."""
        said = {key: value for key, value in outputs.items() if isinstance(value, str)}
        return said.get("id") or self.row.template.format(**{"subscription": "", **said})

    def derive(self, outputs: dict[str, Value], place: Mapping[str, str]) -> None:
        """Identities are a list of ids going in and an object coming out."""
        identity = reveal(outputs.get("identity"))
        if isinstance(identity, Mapping) and isinstance(identity.get(_IDENTITIES), list):
            outputs["identity"] = {
                **identity,
                _IDENTITIES: {str(each): {} for each in identity[_IDENTITIES]},
            }

    def validate(self, api: Any, inputs: Properties) -> None:
        """Nothing is recorded alone, so nothing has to be validated alone."""

    def create(self, api: Any, inputs: Properties, token: str) -> str:
        """PUT, where nothing may be yet."""
        id_ = self._id(api, inputs)
        # As the real provider does: what is there already belongs to somebody.
        if not self._is_implicit(id_) and _asked(lambda: api.arm.get(id_, self.row.version)):
            raise ProviderError(f"cannot create already existing resource '{id_}'")
        self._put(api, id_, inputs)
        return id_

    def read(self, api: Any, id_: str, known: Properties) -> dict[str, Value] | None:
        """What stands there, by property."""
        body = _asked(lambda: api.arm.get(id_, self.row.version))
        if body is None:
            return None
        return {
            **{name: known[name] for name in self.local if name in known},
            **from_body(self.row, body),
        }

    def update(self, api: Any, id_: str, old: ResourceState, new: Properties) -> None:
        """PUT of everything, as the real provider does."""
        self._put(api, id_, new)

    def delete(self, api: Any, id_: str, state: ResourceState) -> None:
        """Delete; absent already is success, and so is what goes with what it is in."""
        if not self._is_implicit(id_) and _asked(lambda: api.arm.get(id_, self.row.version)):
            _asked(lambda: api.arm.call("DELETE", id_, self.row.version))

    def find(self, api: Any, inputs: Properties, token: str) -> str | None:
        """By its id: names are final before it is made."""
        id_ = self._id(api, inputs)
        return id_ if _asked(lambda: api.arm.get(id_, self.row.version)) else None

    def _id(self, api: Any, inputs: Properties) -> str:
        plain = reveal(dict(inputs))
        said = {key: value for key, value in plain.items() if isinstance(value, str)}
        # A scope is an id: it begins with a slash, as ids do.
        return self.row.template.format(subscription=api.subscription, **said)

    def _put(self, api: Any, id_: str, inputs: Properties) -> None:
        body = to_body(self.row, reveal(dict(inputs)))
        _asked(lambda: api.arm.call("PUT", id_, self.row.version, body))

    def _is_implicit(self, id_: str) -> bool:
        """Whether there is one, called `default`, as soon as there is what it is in.

        The real provider resets such a one where others are deleted.
        """
        return self.row.arm == kinds.BLOB_SERVICES


def _asked(question: Any) -> Any:
    """The answer. Raises ProviderError in ARM's words."""
    try:
        return question()
    except ArmError as error:
        raise ProviderError(f"{error.code}: {error.message}") from error


@cache
def handler_for(type_: str) -> ArmHandler | None:
    """The handler of a type token, or None where the type is not emulated."""
    row = tables.row(type_)
    if row is None:
        return None
    told: dict[str, Spec] = {name: {"type": kind} for name, kind in row.outputs.items()}
    outputs: dict[str, Spec] = {
        **{name: spec for name, spec in row.inputs.items() if name not in row.named},
        **told,
    }
    # What stands last in the id and need not be given is named automatically.
    last = row.named[-1] if row.named else "resourceGroupName"
    automatic = not row.inputs[last].get("required") if last in row.inputs else False
    made = type(
        f"{type_.rpartition(':')[2]}Handler",
        (ArmHandler,),
        {
            "type": type_,
            "row": row,
            "_schema": TypeSchema(type_, row.sdk, row.inputs, outputs),
            "name": NameRule(property=last) if automatic else None,
            "computed": {
                "id": row.template,
                "name": f"{{{last}}}",
                "type": row.arm,
                "azureApiVersion": row.version,
            },
            "local": frozenset((*row.named, *row.query, "resourceGroupName")) & row.inputs.keys(),
        },
    )
    found: ArmHandler = made()
    return found
