"""What the rest asks about a cloud's types, each fact in one table of the cloud's own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mlops_iac.records import Record

if TYPE_CHECKING:
    from mlops_iac.graph.plan import Step

# `refused`: the cloud will not do it. `own-rules`: the change touches what judges it.
RiskKind = Literal[
    "own-rules",
    "refused",
    "data-loss",
    "downtime",
    "wider-permission",
    "network-opening",
    "protection-removed",
    "cost",
]
# (path, old, new) of a scalar that a step changes.
Differing = tuple[str, Any, Any]


class TypeFacts(Record):
    """What is true of one type.

    `holds`: what is lost with it, in words; `precious` where nothing makes that again, `remade`
    where its replacement holds the same. `answers`: what answers callers, and does not while it is
    gone; `endpoint` where that is a model. `guards`: what is lost when it goes while what it guards
    stays; `closes_network` where that keeps others out. `tagged`: it takes tags, and costs money or
    holds data.
    """

    holds: str = ""
    precious: bool = False
    remade: bool = False
    answers: str = ""
    endpoint: bool = False
    guards: str = ""
    closes_network: bool = False
    tagged: bool = False


class Knowledge(Protocol):
    """What is true of a cloud's types. Asks nobody."""

    types: Mapping[str, TypeFacts]  # by token
    rules: Sequence[str]  # modules, each with its `RULE`
    # Module of a type token (`package:module/type:Type`) → what its services are for.
    families: Mapping[str, str]
    identities: Collection[str]  # properties by which others name a resource, beside its id
    machines: Collection[str]  # properties that name a kind of machine
    largest: Sequence[str]  # kinds, or patterns of them, that nobody takes unasked
    counts: Mapping[str, str]  # properties that count what is paid for, and its name for people

    def smaller(self, old: str, new: str) -> bool:
        """Whether machine `new` is a smaller one of the same family."""

    def always_on(self, step: Step) -> Iterator[str]:
        """What is paid for from the moment a step made it, in words."""

    def risks(self, step: Step, values: Sequence[Differing]) -> Iterator[tuple[RiskKind, str]]:
        """What a step puts at risk by what only this cloud's properties say, in words."""

    def refused(self, steps: Sequence[Step]) -> Iterator[tuple[Step, str]]:
        """The steps that the cloud will not do, and what to do instead, in words."""

    def watches(self, step: Step) -> str:
        """The name of the endpoint that a step's alarm watched; empty: none."""

    def sensitive(self, type_: str) -> frozenset[str]:
        """Property paths, without indexes, that the provider's schema calls sensitive."""

    def replaces(self, type_: str, path: str) -> tuple[bool | None, str]:
        """Whether a change at a property path replaces the resource, and who says so.

        None and "" where nobody knows.
        """

    def facts_digest(self) -> str:
        """SHA-256 of all that is known of that."""


class Forms(Record):
    """How a cloud's own texts look, as regular expressions where nothing else is said.

    `account`: the emulated account; `example_account`: one that is no placeholder.
    `example_region`: a region to begin with, `region` the form of one.
    `placeholders`: accounts that documentation uses. `reference`: what only says where a thing is,
    and so is no secret; `secret_stores`: prefixes of what says where a secret is. `credentials`: by
    what each is called.
    """

    account: str
    example_account: str
    example_region: str
    region: str
    placeholders: str
    reference: str
    secret_stores: Sequence[str] = ()
    credentials: Mapping[str, str] = {}
