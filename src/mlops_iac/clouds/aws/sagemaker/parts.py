"""What a plan is put together from: blocks and modes, each an object that says what follows from it.

Whatever is asked of a whole stack (calls, decisions, checks, requests, the deployer's rights, names,
the guide) is folded over `stack.PARTS`. What a part does not say asks for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from mlops_iac.blueprint.sections.serving import ServingEntry
from mlops_iac.blueprint.torn import judged
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.base import ComponentCall, Refusal, Setting
from mlops_iac.errors import Diagnostic
from mlops_iac.records import Record

# Where tags of a request stand in a blueprint: `tags.KEY`, or `owner`.
TAG_PLACES = ("tags", "")


class Request(Record):
    """What is sent to `operation` (`sagemaker.CreateModel`), settings and placeholders included.

    `places`: a member's name → the blueprint paths that it or its entries may stand at, first those
    that win. What has no place stands at `path`.
    """

    operation: str
    value: Mapping[str, Any]
    path: str
    places: Mapping[str, tuple[str, ...]] = {}


def _always(_: Scope) -> bool:
    return True


def _nothing(_: Any) -> tuple[()]:
    return ()


class Deployed(Record):
    """What a deployer takes for the components of one part (`deployer_policy`).

    `actions`: component → what is called in the life of its resources; `deployer_actions` has those of
    kinds that several have. `named`: service → its resources, whose names begin with `${stem}`;
    `unnamed`: service → why its resources have none; `unconfined`: actions that know no resource.
    `passed_to` are services that get roles of the stack, `linked` those that make a role of their own
    once per account.
    """

    actions: Mapping[str, Sequence[str]] = {}
    named: Mapping[str, Sequence[str]] = {}
    unnamed: Mapping[str, str] = {}
    unconfined: Sequence[str] = ()
    passed_to: Sequence[str] = ()
    linked: Sequence[str] = ()


class Part(Record):
    """Something that a stack may have: its calls and all that follows from their being there.

    `there`: whether an environment has it; `plan` gives its calls then, each after what it refers to.
    `planned` and `refused`: patterns of leaves of the blueprint. `values` finds values that are wrong
    whatever else is written, `check` what does not fit together. `names`: the variables that it takes
    in the program, each with the entry's path, `""` where the stack itself has it. `requests`: what is
    sent with values of the blueprint, to be held to the service's model. `compiled`: what its
    pipelines' definitions are printed of, by the name of what they are run by.

    Where it is there: `tagged` are operations that make resources with tags; `publishers` services that
    write to the topic of alerts, `key_services` those that write under the key for operations.

    For the guide: `settings` are configuration keys that stand in no blueprint (`*` is an entry's
    name), with what they say (`{name}` is that entry's); `by_hand` is what is done once; `guide` a
    section of its own, of the environments that have it.
    """

    there: Callable[[Scope], object] = _always
    plan: Callable[[Scope], Iterable[ComponentCall]] = _nothing
    planned: Sequence[str] = ()
    refused: Sequence[Refusal] = ()
    values: Callable[[Scope], Iterable[Diagnostic]] = _nothing
    check: Callable[[Scope], Iterable[Diagnostic]] = _nothing
    names: Callable[[Scope], Iterable[tuple[str, str]]] = _nothing
    requests: Callable[[Scope], Iterable[Request]] = _nothing
    compiled: Callable[[Scope], Iterable[tuple[str, object]]] = _nothing
    tagged: Sequence[str] = ()
    deployed: Deployed = Deployed()
    publishers: Sequence[str] = ()
    key_services: Sequence[str] = ()
    settings: Mapping[str, str] = {}
    by_hand: str = ""
    guide: Callable[[Sequence[Scope]], Iterable[str]] = _nothing


class Needs(Record):
    """What modes need of the components that all share; names are as they are in the cloud.

    `endpoints`: names of what is called. `captures`: prefix in the bucket of captures → days that
    calls are kept. `rollback_alarms`: names of alarms that the endpoint role looks at. `datasets`:
    what is read of the blueprint's (one beside it is uploaded, one at `s3://` reached from a private
    network); `new_data`: those whose new files start something.
    """

    endpoints: Sequence[str] = ()
    captures: Mapping[str, Setting] = {}
    rollback_alarms: Sequence[str] = ()
    datasets: Sequence[str] = ()
    new_data: Sequence[str] = ()


def _no_needs(_: Scope) -> Needs:
    return Needs()


class Mode(Part):
    """A part that is a mode of serving (`clouds.base.Mode`); `section` is what its entries are."""

    name: str = ""
    section: type[ServingEntry] = ServingEntry
    needs: Callable[[Scope], Needs] = _no_needs


_V = TypeVar("_V")
_Entry = TypeVar("_Entry", bound=ServingEntry)


def collected(questions: Iterable[Callable[[Scope], Iterable[_V]]], scope: Scope) -> Iterator[_V]:
    """What each says of the scope, until it wants to know what is not known."""

    def answers(question: Callable[[Scope], Iterable[_V]]) -> Iterator[_V]:
        yield from question(scope)

    return judged(*map(answers, questions))


def of_each(
    section: type[_Entry], question: Callable[[Scope, str, _Entry], Iterable[_V]]
) -> Callable[[Scope], Iterator[_V]]:
    """The same question of each entry that is a `section`, by name, as a question of the scope."""

    def answers(scope: Scope, name: str, entry: _Entry) -> Iterator[_V]:
        yield from question(scope, name, entry)

    def of_all(scope: Scope) -> Iterator[_V]:
        return judged(*(answers(scope, *each) for each in scope.entries(section).items()))

    return of_all


def prefixed(start: str, names: str) -> tuple[str, ...]:
    """Each of the names (words) after what all begin with: actions of a service, fields of a section."""
    return tuple(start + name for name in names.split())
