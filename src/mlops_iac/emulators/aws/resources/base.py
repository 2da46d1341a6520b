"""What every resource type of AWS has in common; a type states only its exceptions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.common import handler
from mlops_iac.emulators.provider import ResourceState
from mlops_iac.values import Properties, Value, reveal

# In every schema of pulumi-aws 7, and no member of any API.
_EVERYWHERE = ("region",)


class Handler(handler.Handler):
    """One resource type: create, read, update, delete by the service's own operations.

    The defaults serve a resource that is created, described and deleted by name.
    """

    # Written by `tools/aws_schema.py`.
    schemas = Path(__file__).parents[1] / "schema"
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
    # How tags are written: "" where the resource has none.
    tag_style: ClassVar[str] = ""

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

    def derive(self, outputs: dict[str, Value], place: Mapping[str, str]) -> None:
        """Tags with the provider's own, of which there are none here, and the region."""
        if "tagsAll" in self.schema.outputs:
            outputs["tagsAll"] = reveal(outputs.get("tags")) or {}
        if "region" in self.schema.outputs:
            outputs.setdefault("region", place["region"])

    def validate(self, api: Api, inputs: Properties) -> None:
        """By botocore's model of the operation that creates it."""
        request = api.params(self.service, self.create_op, self.sent(inputs), self.renames)
        api.check(self.service, self.create_op, request)

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
