"""What every resource type of AWS has in common; a type states only its exceptions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from mlops_iac.emulators.aws.api import Api
from mlops_iac.emulators.common import handler
from mlops_iac.emulators.common.handler import HalfMade, changed
from mlops_iac.emulators.provider import ProviderError, ResourceState
from mlops_iac.values import Properties, Value, reveal

# In every schema of pulumi-aws 7, and no member of any API.
_EVERYWHERE = ("region",)


@dataclass(frozen=True, slots=True)
class Part:
    """Inputs that an operation of their own writes, and one that takes them away, where there is.

    Without that one, what is no longer given goes back to the type's default. `inputs` that creation
    does not take (`Handler.local`) are written right after it.
    """

    inputs: Sequence[str]
    put: str
    remove: str = ""
    # As `Handler.renames`, where these operations spell it differently.
    renames: Mapping[str, str] | None = None


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
    # Members by which operations know the resource → properties, of the id or known besides. An
    # operation that takes several has the plural; one that only lists has none.
    key: ClassVar[Mapping[str, str]] = {}
    # The structure in the answer that describes it; one of several where that is a list.
    answer: ClassVar[str] = ""
    # Where the answer of a creation has the id (`Vpc.VpcId`); "" where it follows from the inputs.
    made_id: ClassVar[str] = ""
    parts: ClassVar[Sequence[Part]] = ()
    # How tags are written: "" where the resource has none.
    tag_style: ClassVar[str] = ""

    def id_in(self, api: Api, inputs: Properties) -> str:
        """The id that follows from inputs, with what the cloud makes of them alone (an ARN)."""
        known = {**api.place.names(), **self.defaults, **inputs}
        for name, shape in self.computed.items():
            if name not in known and f"{{{name}}}" in self.id:
                known[name] = shape.format(**known)
        return self.id_of(known)

    def in_id(self, id_: str) -> dict[str, str]:
        """The properties that an id holds."""
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(self.id))
        match = re.fullmatch(pattern, id_)
        return match.groupdict() if match else {}

    def named(self, id_: str, known: Properties) -> dict[str, Any]:
        """The properties by which operations know the resource. Raises ProviderError."""
        found = {**self.defaults, **reveal(dict(known)), **self.in_id(id_)}
        for name in self.key.values():
            if not found.get(name):
                raise ProviderError(f"{self.type} {id_}: its {name} is not known")
        return {name: found[name] for name in self.key.values()}

    def where(self, operation: str, id_: str, known: Properties) -> dict[str, Any]:
        """The same as parameters of an operation."""
        from mlops_iac.emulators.aws.clients import service_model

        members = service_model(self.service).operation_model(operation).input_shape.members
        found: dict[str, Any] = {}
        for member, value in zip(self.key, self.named(id_, known).values(), strict=True):
            if member in members:
                found[member] = value
            elif f"{member}s" in members:
                found[f"{member}s"] = [value]
        return found

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
        answer = api.call(self.service, self.create_op, **self.request(api, inputs, token))
        id_ = self.id_made(answer) if self.made_id else self.id_in(api, inputs)
        try:
            self.settle(api, id_, None, inputs)
        except ProviderError as error:
            raise HalfMade(error.message, id_) from error
        return id_

    def request(self, api: Api, inputs: Properties, token: str) -> dict[str, Any]:
        """What a creation sends."""
        del token
        return api.params(self.service, self.create_op, self.sent(inputs), self.renames)

    def id_made(self, answer: Any) -> str:
        """The id in the answer of a creation."""
        for key in self.made_id.split("."):
            answer = answer[int(key) if key.isdigit() else key]
        return str(answer)

    def settle(self, api: Api, id_: str, old: Properties | None, new: Properties) -> None:
        """Write what has operations of its own: inputs that changed, or after a creation (None)."""
        for part in self.parts:
            if old is None and not self.local.intersection(part.inputs):
                continue
            if not changed(old or {}, new, part.inputs):
                continue
            known = {**self.defaults, **{k: reveal(v) for k, v in new.items() if v is not None}}
            given = {name: known.get(name) for name in part.inputs}
            if part.remove and all(given[name] == self.defaults.get(name) for name in given):
                api.look(self.service, part.remove, **self.where(part.remove, id_, new))
                continue
            renames = self.renames if part.renames is None else part.renames
            parameters = api.params(self.service, part.put, given, renames)
            api.call(self.service, part.put, **self.where(part.put, id_, new), **parameters)

    def read(self, api: Api, id_: str, known: Properties) -> dict[str, Value] | None:
        """What the emulator says, by property; None where there is nothing."""
        named = self.named(id_, known)
        data: Any = api.look(self.service, self.read_op, **self.where(self.read_op, id_, known))
        if self.answer:
            data = (data or {}).get(self.answer)
        if isinstance(data, list):
            wanted = dict(zip(self.key, named.values(), strict=True))
            mine = (e for e in data if all(e.get(k, v) == v for k, v in wanted.items()))
            data = next(mine, None)
        found = self.from_answer(api, data) if data else None
        if found is None:
            return None
        return {**{k: v for k, v in named.items() if k in self.schema.outputs}, **found}

    def from_answer(self, api: Api, data: Mapping[str, Any]) -> dict[str, Value] | None:
        """Properties from the describing structure, tags included where the API lists them.

        None where what is described counts as gone.
        """
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
        """Change in place. The default sends the whole resource again, then settles the rest."""
        if self.update_op:
            leave = ("tags",) if self.tag_style else ()
            parameters = api.params(
                self.service, self.update_op, self.sent(new, *leave), self.renames
            )
            api.call(self.service, self.update_op, **parameters)
        self.settle(api, id_, old.inputs, new)
        self.settle_tags(api, old, new)

    def settle_tags(self, api: Api, old: ResourceState, new: Properties) -> None:
        """Bring the tags from old to new."""
        from mlops_iac.emulators.aws.resources.tags import change_tags

        if self.tag_style:
            before = self.read_tags(api, old.outputs)
            change_tags(api, self.tag_style, old.outputs, before, reveal(new.get("tags")) or {})

    def delete(self, api: Api, id_: str, state: ResourceState) -> None:
        """Delete; absent already is success."""
        api.look(self.service, self.delete_op, **self.where(self.delete_op, id_, state.inputs))

    def find(self, api: Api, inputs: Properties, token: str) -> str | None:
        """Id of what an interrupted create left behind. Names are final, so by name."""
        del token
        id_ = self.id_in(api, inputs)
        return id_ if self.read(api, id_, inputs) is not None else None
