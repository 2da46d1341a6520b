"""What the real AWS provider says of the way from one captured graph to another.

The provider itself plans each resource of the old graph for creation; what it plans, with values in
the place of what only the cloud knows, is the prior state. From there it plans the configuration
that the new graph contains. A reference to what is created or replaced on the way is unknown then,
as it is in `terraform plan`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from mlops_iac.emulators.aws.facts import FACTS
from mlops_iac.graph.model import Resource, ResourceGraph
from mlops_iac.values import Asset
from tests.oracles.concrete import LABEL, concrete_resource
from tests.oracles.to_terraform import label, to_terraform
from tools.aws_facts.blocks import Block, absent, proposed, read_block, sample
from tools.aws_facts.generate import OFFLINE, PROVIDER_VERSION
from tools.aws_facts.provider_process import UNKNOWN, AwsProvider, find_provider

_TAGS = {"tags", "tags_all"}
_NAMED = ("id", "name", "bucket", "key")
# By the first letters of a cty type: "string" is a text, ["list", …] a sequence.
_NOTHING = {"s": "", "n": 0, "b": False, "list": [], "set": [], "map": {}}
_UNTIL_APPLIED = "\0known after it is applied"


@dataclass(frozen=True)
class Verdict:
    """`op` as a step's; `paths` without indices: those that force it, else those that differ."""

    op: str
    paths: frozenset[str] = frozenset()

    @property
    def tags_alone(self) -> bool:
        return self.op == "update" and self.paths <= _TAGS


@dataclass
class Judge:
    """One provider process, and what it has said so far. A context manager."""

    provider: AwsProvider = field(
        default_factory=lambda: AwsProvider(find_provider(PROVIDER_VERSION))
    )
    plans: int = 0

    def __enter__(self) -> Self:
        self.provider.__enter__()
        own, blocks = self.provider.schemas()
        self.provider.configure(absent(read_block(own)) | OFFLINE)
        self._blocks = {name: read_block(block) for name, block in blocks.items()}
        self._priors: dict[str, tuple[dict[str, Any], Any]] = {}
        return self

    def __exit__(self, *error: object) -> None:
        self.provider.__exit__(None, None, None)

    def judge(self, old: ResourceGraph, new: ResourceGraph) -> dict[str, Verdict]:
        """By address, everything that does not stay as it is. `new` has to be in order."""
        before = {each.urn: each for each in old if _managed(each)}
        renewed: dict[str, Resource] = {}
        verdicts: dict[str, Verdict] = {}
        for resource in new:
            if not _managed(resource):
                continue
            known = before.pop(resource.urn, None)
            if known is None:
                verdict = Verdict("create")
            else:
                verdict = self._compare(old, known, new, resource, renewed)
            if verdict.op in ("create", "replace"):
                renewed[resource.address] = resource
            if verdict.op != "same":
                verdicts[resource.address] = verdict
        return verdicts | {gone.address: Verdict("delete") for gone in before.values()}

    def stays(self, graph: ResourceGraph) -> dict[str, Verdict]:
        """The same for a graph and itself, every resource planned: nothing, or states are wrong."""
        found = {}
        for resource in graph:
            if _managed(resource):
                verdict = self._plan(resource, _body(graph, resource), _body(graph, resource))
                if verdict.op != "same":
                    found[resource.address] = verdict
        return found

    def _compare(
        self,
        old: ResourceGraph,
        known: Resource,
        new: ResourceGraph,
        resource: Resource,
        renewed: Mapping[str, Resource],
    ) -> Verdict:
        was, wanted = _body(old, known), _body(new, _until_applied(resource, renewed))
        return Verdict("same") if was == wanted else self._plan(resource, was, wanted)

    def _plan(self, resource: Resource, was: Any, wanted: Any) -> Verdict:
        name = FACTS.of(resource.type).tf_name
        block = self._blocks[name]
        prior, config = self._prior(resource.urn, name, was), _typed(block, wanted)
        self.plans += 1
        plan = self.provider.plan(name, prior, config, proposed(block, prior, config))
        if plan.replaces:
            return Verdict("replace", plan.replaces)
        differing = frozenset(
            key
            for key, value in _ordered(block, plan.planned).items()
            if value != _ordered(block, prior)[key]
        )
        return Verdict("update", differing) if differing else Verdict("same")

    def _prior(self, urn: str, name: str, body: Any) -> Any:
        asked, prior = self._priors.get(urn, (None, None))
        if asked != body:
            block = self._blocks[name]
            config = _typed(block, body)
            planned = self.provider.plan(name, None, config, proposed(block, None, config)).planned
            prior = _applied(block, planned)
            self._priors[urn] = (body, prior)
        return prior


def _managed(resource: Resource) -> bool:
    return resource.custom and not resource.type.startswith("pulumi:")


def _until_applied(resource: Resource, renewed: Mapping[str, Resource]) -> Resource:
    """With a mark in the place of what a renewed resource is not given but computes."""

    def mark(match: re.Match[str]) -> str:
        source = renewed.get(match[1])
        computed = source is not None and match[2] not in source.inputs
        return _UNTIL_APPLIED if computed else match[0]

    return replace(resource, inputs=_texts(resource.inputs, lambda text: LABEL.sub(mark, text)))


def _texts(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case Mapping():
            return {key: _texts(item, change) for key, item in value.items()}
        case list() | tuple():
            return [_texts(item, change) for item in value]
        case Asset(hash=digest):
            # Two captures have two folders; what is uploaded is the content.
            return replace(value, path=digest, text=None)
        case _:
            return value


def _body(graph: ResourceGraph, resource: Resource) -> dict[str, Any]:
    """The resource as the provider's configuration."""
    shaped = concrete_resource(graph, _until_applied(resource, {}))
    written = to_terraform(replace(graph, resources=(shaped,)), references=False)["resource"]
    ((name, bodies),) = written.items()
    assert name == FACTS.of(resource.type).tf_name
    return bodies[label(resource)]


def _typed(block: Block, body: Mapping[str, Any]) -> dict[str, Any]:
    """A body as a value of the block's own type, absent things included."""
    value = absent(block)
    for key, item in body.items():
        if key in block.attributes:
            value[key] = _cty(block.attributes[key].type, item)
            continue
        nested = block.blocks[key]
        items = [
            _typed(nested.block, each) for each in ([item] if isinstance(item, dict) else item)
        ]
        value[key] = items[0] if nested.nesting == "single" else items
    return value


def _cty(type_: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, str) and _UNTIL_APPLIED in value:
        return UNKNOWN
    match type_:
        case "string":
            text = str(value).lower() if isinstance(value, bool) else str(value)
            return text.replace("$${", "${").replace("%%{", "%{")
        case "number":
            return float(value) if float(value) % 1 else int(value)
        case "bool":
            return value if isinstance(value, bool) else value == "true"
        case ["list" | "set", inner]:
            return [_cty(inner, item) for item in value]
        case ["map", inner]:
            return {key: _cty(inner, item) for key, item in value.items()}
        case ["object", members, *_]:
            return {name: _cty(inner, value.get(name)) for name, inner in members.items()}
    raise ValueError(f"no value of the type {type_!r}")


def _applied(block: Block, planned: Mapping[str, Any]) -> dict[str, Any]:
    """A plan with any value where the cloud decides."""
    value = dict(planned)
    for name, attribute in block.attributes.items():
        if value[name] == UNKNOWN and attribute.input and not name.endswith(_NAMED):
            # What may be asked for and is not: the cloud's own state of it is nothing.
            value[name] = _NOTHING.get(attribute.type[0])
        value[name] = _known(attribute.type, value[name])
    for name, nested in block.blocks.items():
        match value[name]:
            case list(items):
                value[name] = [_applied(nested.block, item) for item in items]
            case dict(item):
                value[name] = _applied(nested.block, item)
            case item if item == UNKNOWN:
                value[name] = absent(block)[name]
    return value


def _known(type_: Any, value: Any) -> Any:
    if value == UNKNOWN:
        return sample(type_, 0)
    match type_, value:
        case ["list" | "set", inner], list(items):
            return [_known(inner, item) for item in items]
        case ["map", inner], dict(items):
            return {key: _known(inner, item) for key, item in items.items()}
        case ["object", members, *_], dict(items):
            return {name: _known(inner, items[name]) for name, inner in members.items()}
    return value


def _ordered(block: Block, value: Mapping[str, Any]) -> dict[str, Any]:
    """With sets in one order, so that equal values are equal."""
    result = dict(value)
    for name, attribute in block.attributes.items():
        if attribute.type[0] == "set" and isinstance(result[name], list):
            result[name] = sorted(result[name], key=repr)
    for name, nested in block.blocks.items():
        if isinstance(result[name], list):
            items = [_inside(_ordered(nested.block, item)) for item in result[name]]
            result[name] = sorted(items, key=repr) if nested.nesting == "set" else items
    return result


def _inside(value: Mapping[str, Any]) -> dict[str, Any]:
    """A nested block without zero values: a legacy provider takes them for absent ones."""
    return {key: item for key, item in value.items() if item not in (None, "", 0, [], {})}
