"""What every resource type has in common; a type states only its exceptions.

A handler knows the API; it holds no state and is shared between threads. Its class attributes must
stay plain data: stand-ins are made from them without boto3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.aws.naming import NameRule
from mlops_iac.emulators.aws.schema import TypeSchema, schema_for
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties, Value, reveal

# In every schema of pulumi-aws 7, and no member of any API.
_EVERYWHERE = ("region",)


class Handler:
    """One resource type: create, read, update, delete by the service's own operations.

    The defaults serve a resource that is created, described and deleted by name. `read` answers
    with what the emulator says, by property; the provider lays it over what is known.
    """

    type: ClassVar[str]
    service: ClassVar[str]
    # Operations; an empty one is not there.
    create_op: ClassVar[str] = ""
    read_op: ClassVar[str] = ""
    update_op: ClassVar[str] = ""
    delete_op: ClassVar[str] = ""
    # Property path → API member, where the general mapper cannot know.
    renames: ClassVar[Mapping[str, str]] = {}
    # The member that names the resource, and the structure in the answer that describes it.
    key: ClassVar[str] = ""
    answer: ClassVar[str] = ""
    name: ClassVar[NameRule | None] = None
    # The id: an output property, or a template of several.
    id: ClassVar[str] = "{name}"
    # Output → its shape, from place and other outputs; `{}` is the part the server makes.
    computed: ClassVar[Mapping[str, str]] = {}
    # Output → literal value that the real provider reports where nothing else is said.
    defaults: ClassVar[Mapping[str, Any]] = {}
    # Inputs that the real provider keeps to itself.
    local: ClassVar[frozenset[str]] = frozenset()
    # Inputs that moto takes and does not give back: no drift can be seen in them.
    not_kept: ClassVar[frozenset[str]] = frozenset()
    # Outputs that an update may change.
    volatile: ClassVar[frozenset[str]] = frozenset()
    # How tags are written: "" where the resource has none.
    tag_style: ClassVar[str] = ""
    # Whether the emulator lacks the resource altogether: validated and kept, not emulated.
    recorded: ClassVar[bool] = False
    # Whether an update is only partly emulated, so that the resource counts as recorded after one.
    recorded_after_update: ClassVar[bool] = False
    # Outputs whose value the server makes: `find` needs the operation tag.
    server_named: ClassVar[bool] = False

    @property
    def schema(self) -> TypeSchema:
        """Names and types of the SDK."""
        found = schema_for(self.type)
        if found is None:
            raise ProviderError(f"there is no schema of {self.type}")
        return found

    def id_of(self, outputs: Properties) -> str:
        """The id from known outputs."""
        return self.id.format(**{k: v for k, v in outputs.items() if isinstance(v, str)})

    def sent(self, inputs: Properties, *more: str) -> dict[str, Value]:
        """Inputs that go to the API: secrets revealed, the provider's own left out."""
        leave = {*self.local, *more, *_EVERYWHERE}
        if self.name is not None and self.name.prefix:
            leave.add(self.name.prefix)
        return {
            key: reveal(value)
            for key, value in inputs.items()
            if key not in leave and not key.startswith("__") and value is not None
        }

    def create(self, api: Api, inputs: Properties, token: str) -> str:
        """Create, and return the id. `token` goes into the operation tag of server-named types."""
        del token
        parameters = api.params(self.service, self.create_op, self.sent(inputs), self.renames)
        api.call(self.service, self.create_op, **parameters)
        return self.id_of(inputs)

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """What the emulator says, by property; None where there is nothing."""
        del known
        answer = api.look(self.service, self.read_op, **{self.key: id_})
        if answer is None:
            return None
        return self.from_answer(api, answer.get(self.answer, {}) if self.answer else answer)

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value]:
        """Properties from the describing structure, tags included where the API lists them."""
        from mlops_iac.emulators.aws.clients import service_model

        shape = service_model(self.service).operation_model(self.read_op).output_shape
        if self.answer:
            shape = shape.members[self.answer]
            shape = shape.member if shape.type_name == "list" else shape
        found = api.properties(self.service, shape.name, data, self.schema.outputs, self.renames)
        if self.tag_style and "tags" not in found:
            found["tags"] = self.read_tags(api, found)
        return found

    def read_tags(self, api: Api, found: Properties) -> dict[str, str]:
        """The resource's tags."""
        from mlops_iac.emulators.aws.resources.tags import list_tags

        return list_tags(api, self.tag_style, found)

    def update(self, api: Api, id_: str, old: ResourceState, new: Properties) -> None:
        """Change in place. The default sends the whole resource again, then settles the tags."""
        del id_
        if self.update_op:
            leave = ("tags",) if self.tag_style else ()
            parameters = api.params(
                self.service, self.update_op, self.sent(new, *leave), self.renames
            )
            api.call(self.service, self.update_op, **parameters)
        self.settle_tags(api, old, new)

    def settle_tags(self, api: Api, old: ResourceState, new: Properties) -> None:
        """Bring the tags from old to new."""
        from mlops_iac.emulators.aws.resources.tags import change_tags

        if self.tag_style:
            change_tags(api, self.tag_style, old, reveal(new.get("tags")) or {})

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete; absent already is success."""
        del state
        api.look(self.service, self.delete_op, **{self.key: id_})

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """Id of what an interrupted create left behind. Names are final, so by name."""
        del token
        id_ = self.id_of(inputs)
        return id_ if self.read(api, id_, inputs) is not None else None


class HalfMade(ProviderError):
    """Created, but a later step of the creation failed; `id` names what exists."""

    def __init__(self, message: str, id_: str) -> None:
        super().__init__(message)
        self.id = id_


@contextmanager
def made(id_: str) -> Iterator[None]:
    """The steps that follow a creation: when one fails, the resource exists all the same."""
    try:
        yield
    except ProviderError as error:
        raise HalfMade(error.message, id_) from error


def changed(old: Properties, new: Properties, names: Iterable[str]) -> bool:
    """Whether one of the named inputs differs."""
    return any(reveal(old.get(name)) != reveal(new.get(name)) for name in names)
