"""What a plan is put together from: blocks and modes, each an object that says what follows from it.

Whatever is asked of a whole stack (calls, decisions, checks, names, the guide) is folded over a platform's
tuple of them. What a part does not say asks for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from mlops_iac.blueprint.sections.serving import ServingEntry
from mlops_iac.blueprint.torn import judged, known_or, torn_more
from mlops_iac.clouds.base import ComponentCall, Refusal
from mlops_iac.clouds.decisions import Decisions
from mlops_iac.clouds.scope import Scope
from mlops_iac.errors import Diagnostic
from mlops_iac.records import Record

S = TypeVar("S", bound=Scope)
_V = TypeVar("_V")
_Entry = TypeVar("_Entry", bound=ServingEntry)


def _always(_: Any) -> bool:
    return True


def nothing(_: Any) -> tuple[()]:
    """What a part says that has nothing to say."""
    return ()


class Part(Record, Generic[S]):
    """Something that a stack may have: its calls and all that follows from their being there.

    `there`: whether an environment has it; `plan` gives its calls then, each after what it refers to.
    `planned` and `refused`: patterns of leaves of the blueprint. `values` finds values that are wrong
    whatever else is written, `check` what does not fit together. `names`: the variables that it takes
    in the program, each with the entry's path, `""` where the stack itself has it. `compiled`: what its
    pipelines' definitions are printed of, by the name of what they are run by.

    For the guide: `settings` are configuration keys that stand in no blueprint (`*` is an entry's
    name), with what they say (`{name}` is that entry's); `by_hand` is what is done once; `guide` a
    section of its own, of the environments that have it.
    """

    there: Callable[[S], object] = _always
    plan: Callable[[S], Iterable[ComponentCall]] = nothing
    planned: Sequence[str] = ()
    refused: Sequence[Refusal] = ()
    values: Callable[[S], Iterable[Diagnostic]] = nothing
    check: Callable[[S], Iterable[Diagnostic]] = nothing
    names: Callable[[S], Iterable[tuple[str, str]]] = nothing
    compiled: Callable[[S], Iterable[tuple[str, object]]] = nothing
    settings: Mapping[str, str] = {}
    by_hand: str = ""
    guide: Callable[[Sequence[S]], Iterable[str]] = nothing


def collected(questions: Iterable[Callable[[S], Iterable[_V]]], scope: S) -> Iterator[_V]:
    """What each says of the scope, until it wants to know what is not known."""

    def answers(question: Callable[[S], Iterable[_V]]) -> Iterator[_V]:
        yield from question(scope)

    return judged(*map(answers, questions))


def of_each(
    section: type[_Entry], question: Callable[[S, str, _Entry], Iterable[_V]]
) -> Callable[[S], Iterator[_V]]:
    """The same question of each entry that is a `section`, by name, as a question of the scope."""

    def answers(scope: S, name: str, entry: _Entry) -> Iterator[_V]:
        yield from question(scope, name, entry)

    def of_all(scope: S) -> Iterator[_V]:
        return judged(*(answers(scope, *each) for each in scope.entries(section).items()))

    return of_all


class Served(Protocol):
    """A mode of serving: its name, and the section of the language that it is written as."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def section(self) -> type[ServingEntry]:
        """What its entries are."""


def checked(
    scope: S,
    decisions: Decisions,
    modes: Iterable[Served],
    *checks: tuple[Callable[[S], Iterable[Diagnostic]], Mapping[str, Any] | None],
) -> list[Diagnostic]:
    """What the decisions refuse, then what the checks do, each with the stand-ins of what is wrong.

    Everything at once; nothing is looked at further below what is refused as a whole.
    """
    resolved = scope.resolved
    found = list(judged(_fields(scope, decisions, modes)))
    refused = {item.path for item in found}
    for check, stand_ins in checks:
        wrong = {item.path for item in found if item.severity == "error"}
        if wrong or resolved.wrong:
            scope = type(scope)(torn_more(resolved, wrong, stand_ins))
        found += [item for item in check(scope) if item.path not in refused]
    return list(dict.fromkeys(found))


def _fields(scope: S, decisions: Decisions, modes: Iterable[Served]) -> Iterator[Diagnostic]:
    none: Mapping[str, ServingEntry] = {}
    entries = known_or(none, lambda: scope.blueprint.serving)
    # The name of an entry's mode; empty for one that is not planned.
    named = {
        name: next((mode.name for mode in modes if isinstance(entry, mode.section)), "")
        for name, entry in entries.items()
    }
    return decisions.check(scope.resolved, named)


def prefixed(start: str, names: str) -> tuple[str, ...]:
    """Each of the names (words) after what all begin with: actions of a service, fields of a section."""
    return tuple(start + name for name in names.split())
