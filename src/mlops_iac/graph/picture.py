"""What a picture of a stack shows: a box per component with its resources, and who uses whom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlops_iac.clouds import registry
from mlops_iac.graph.canonical import in_order
from mlops_iac.graph.model import PROVIDER_TYPE, STACK_TYPE, Resource, ResourceGraph, outermost


@dataclass(frozen=True, slots=True)
class Group:
    """Resources of one type in one component; `names` without the component's own name."""

    service: str  # module of the type: "storage"
    type: str  # "Bucket"
    names: tuple[str, ...]
    recorded: bool = False
    urns: tuple[str, ...] = ()
    family: str = ""  # what the service is for, where its cloud says so

    @property
    def label(self) -> str:
        """`Bucket`, or `Bucket ×3`."""
        return self.type if len(self.names) == 1 else f"{self.type} ×{len(self.names)}"


@dataclass(frozen=True, slots=True)
class Box:
    """One component, or a resource that stands in none."""

    key: str
    title: str
    kind: str  # "RealTimeEndpoint"
    groups: tuple[Group, ...] = ()

    @property
    def size(self) -> int:
        """Number of resources."""
        return sum(len(group.names) for group in self.groups)


@dataclass(frozen=True, slots=True)
class Arrow:
    """`user` needs `used`; `via` is what it needs most often, as a type name."""

    used: str
    user: str
    via: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Boxes in dependency order, arrows sorted, without those that follow from others."""

    project: str
    stack: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...] = ()

    @property
    def size(self) -> int:
        """Number of resources."""
        return sum(box.size for box in self.boxes)


def picture(graph: ResourceGraph) -> Picture:
    """The picture of a captured stack."""
    resources = in_order(graph.resources)
    by_urn = {resource.urn: resource for resource in resources}
    owner = {resource.urn: outermost(resource, by_urn).urn for resource in resources}
    boxes: dict[str, Resource] = {}
    members: dict[str, list[Resource]] = {}
    for resource in resources:
        if resource.type == STACK_TYPE or resource.type.startswith(PROVIDER_TYPE):
            continue
        key = owner[resource.urn]
        boxes.setdefault(key, by_urn[key])
        if resource.custom:
            members.setdefault(key, []).append(resource)
    uses: dict[tuple[str, str], Counter[str]] = {}
    for resource in resources:
        for needed in resource.dependencies:
            pair = (owner.get(needed, ""), owner[resource.urn])
            if pair[0] == pair[1] or not boxes.keys() >= {*pair}:
                continue
            counts = uses.setdefault(pair, Counter())
            if by_urn[needed].custom:
                counts[_short(by_urn[needed].type)] += 1
    order = {key: index for index, key in enumerate(_by_use(list(boxes), set(uses)))}
    kept = _reduced({pair for pair in uses if order[pair[0]] < order[pair[1]]}, order)
    return Picture(
        project=graph.project,
        stack=graph.stack,
        boxes=tuple(_box(key, boxes[key], members.get(key, [])) for key in order),
        arrows=tuple(
            Arrow(used, user, _most_used(uses[used, user]))
            for used, user in sorted(kept, key=lambda pair: (order[pair[0]], order[pair[1]]))
        ),
    )


def _box(key: str, head: Resource, members: list[Resource]) -> Box:
    groups: dict[tuple[str, str, bool, str], list[tuple[str, str]]] = {}
    for member in members:
        name = member.name.removeprefix(head.name).lstrip("-_") or member.name
        module = member.type.split(":")[1].split("/")[0]
        cloud = registry.cloud_of(member.type)
        family = cloud.knowledge.families.get(module, "") if cloud else ""
        key_ = (module, _short(member.type), member.recorded, family)
        groups.setdefault(key_, []).append((name, member.urn))
    return Box(
        key=key,
        title=head.name,
        kind=_short(head.type),
        groups=tuple(
            Group(
                service,
                type_,
                tuple(name for name, _ in members_),
                recorded,
                tuple(urn for _, urn in members_),
                family,
            )
            for (service, type_, recorded, family), members_ in groups.items()
        ),
    )


def _short(type_: str) -> str:
    return type_.rsplit(":", 1)[-1]


def _most_used(counts: Mapping[str, int]) -> str:
    return min(counts, key=lambda name: (-counts[name], name)) if counts else ""


def _by_use(keys: list[str], pairs: set[tuple[str, str]]) -> list[str]:
    """Keys so that what is used stands first; ties keep the order of registration."""
    needs = {key: {used for used, user in pairs if user == key} for key in keys}
    ordered: list[str] = []
    rest = list(keys)
    while rest:
        # Components may use each other, though their resources cannot: then the earlier one wins.
        free = next((key for key in rest if not needs[key] - set(ordered)), rest[0])
        ordered.append(free)
        rest.remove(free)
    return ordered


def _reduced(pairs: set[tuple[str, str]], order: Mapping[str, int]) -> set[tuple[str, str]]:
    """Transitive reduction: an arrow that a longer way already says is left out."""
    after: dict[str, set[str]] = {key: set() for key in order}
    reach: dict[str, set[str]] = {}
    for used, user in pairs:
        after[used].add(user)
    for key in sorted(order, key=order.__getitem__, reverse=True):
        reach[key] = after[key].union(*(reach[user] for user in after[key]))
    return {
        (used, user)
        for used, user in pairs
        if not any(user in reach[other] for other in after[used] if other != user)
    }


@dataclass(slots=True)
class Identifiers:
    """Short names for the boxes of a text format: `box1`, `box2`."""

    known: dict[str, str] = field(default_factory=dict)

    def of(self, key: str) -> str:
        """The name of a box, the same whenever asked."""
        return self.known.setdefault(key, f"box{len(self.known) + 1}")
