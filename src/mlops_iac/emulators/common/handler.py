"""What every resource type of every emulated cloud has in common.

A handler knows the API; it holds no state and is shared between threads. Its class attributes must
stay plain data: stand-ins are made from them without the cloud's SDK.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from mlops_iac.emulators.common.naming import NameRule
from mlops_iac.emulators.common.schema import TypeSchema, read_schema
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties, Value, reveal


class Handler(ABC):
    """One resource type. `read` answers with what the emulator says, by property.

    The provider lays that over what is known. `api` is the cloud's own way to its emulator.
    """

    type: ClassVar[str]
    name: ClassVar[NameRule | None] = None
    # The id: an output property, or a template of several.
    id: ClassVar[str] = "{name}"
    # Output → its shape, from place and other outputs; `{}` is the part the server makes.
    computed: ClassVar[Mapping[str, str]] = {}
    # Output → literal value that the real provider reports where nothing else is said.
    defaults: ClassVar[Mapping[str, Any]] = {}
    # Inputs that the real provider keeps to itself.
    local: ClassVar[frozenset[str]] = frozenset()
    # Inputs that the emulator takes and does not give back: no drift can be seen in them.
    not_kept: ClassVar[frozenset[str]] = frozenset()
    # Outputs that an update may change.
    volatile: ClassVar[frozenset[str]] = frozenset()
    # Whether the emulator lacks the resource altogether: validated and kept, not emulated.
    recorded: ClassVar[bool] = False
    # Outputs whose value the server makes: `find` needs the operation tag.
    server_named: ClassVar[bool] = False

    # The folder with the files of `schema`.
    schemas: ClassVar[Path]

    @property
    def schema(self) -> TypeSchema:
        """Names and types of the SDK."""
        found = read_schema(self.schemas, self.type)
        if found is None:
            raise ProviderError(f"there is no schema of {self.type}")
        return found

    def id_of(self, outputs: Properties) -> str:
        """The id from known outputs."""
        return self.id.format(**{k: v for k, v in outputs.items() if isinstance(v, str)})

    def derive(self, outputs: dict[str, Value], place: Mapping[str, str]) -> None:
        """Set the outputs that follow from others, or from where it stands."""
        return

    @abstractmethod
    def validate(self, api: Any, inputs: Properties) -> None:
        """Raise ProviderError for what the cloud's API would refuse; calls nothing."""

    @abstractmethod
    def create(self, api: Any, inputs: Properties, token: str) -> str:
        """Create, and return the id. `token` goes into the operation tag of server-named types."""

    @abstractmethod
    def read(self, api: Any, id_: str, known: Properties) -> dict[str, Value] | None:
        """What the emulator says, by property; None where there is nothing."""

    @abstractmethod
    def update(self, api: Any, id_: str, old: ResourceState, new: Properties) -> None:
        """Change in place."""

    @abstractmethod
    def delete(self, api: Any, id_: str, state: ResourceState) -> None:
        """Delete; absent already is success."""

    @abstractmethod
    def find(self, api: Any, inputs: Properties, token: str) -> str | None:
        """Id of what an interrupted create left behind, or None."""


class HalfMade(ProviderError):
    """Created, but a later step of the creation failed; `id` names what exists."""

    def __init__(self, message: str, id_: str) -> None:
        super().__init__(message)
        self.id = id_


def changed(old: Properties, new: Properties, names: Iterable[str]) -> bool:
    """Whether one of the named inputs differs."""
    return any(reveal(old.get(name)) != reveal(new.get(name)) for name in names)
