"""What a plan is put together from: blocks and modes, each an object that says all that follows from it.

Whatever is asked of a whole stack (calls, decisions, checks, requests, the deployer's rights, names, the
guide) is folded over `stack.PARTS`. What a part does not say asks for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.base import ComponentCall, Refusal, Setting
from mlops_iac.errors import Diagnostic
from mlops_iac.records import Record


class Request(Record):
    """What is sent to `operation` (`sagemaker.CreateModel`), settings and placeholders included.

    `places`: a member's name → the blueprint paths that it or its entries may stand at, first those
    that win. What has no place stands at `path`.
    """

    operation: str
    value: Mapping[str, Any]
    path: str
    places: Mapping[str, tuple[str, ...]] = {}


def _nothing(_: Any) -> tuple[()]:
    return ()


class Part(Record):
    """Something that a stack may have: its calls and all that follows from their being there.

    `plan`: the calls of one environment, none where it has none. `planned` and `refused`: patterns of
    leaves of the blueprint. `values` finds values that are wrong whatever else is written, `check`
    what does not fit together. `names`: the variables that it takes in the program, each with the
    entry's path, `""` where the stack itself has it.

    `requests`: what is sent with values of the blueprint, to be held to the service's model; `tagged`:
    operations that make resources with tags.

    `actions`: component → what a deployer calls in the life of its resources (`deployer` has those of
    kinds that several have); `named`: service → what resources of it are called (`confining`).
    `publishers`: services that write to the topic of alerts; `key_services`: those that write under
    the key for operations.

    For the guide: `settings` are configuration keys that stand in no blueprint, with what they say;
    `by_hand` lines of what is done once, `guide` a section of its own. Both see all environments.
    """

    plan: Callable[[Scope], Iterable[ComponentCall]] = _nothing
    planned: Sequence[str] = ()
    refused: Sequence[Refusal] = ()
    values: Callable[[Scope], Iterable[Diagnostic]] = _nothing
    check: Callable[[Scope], Iterable[Diagnostic]] = _nothing
    names: Callable[[Scope], Iterable[tuple[str, str]]] = _nothing
    requests: Callable[[Scope], Iterable[Request]] = _nothing
    tagged: Callable[[Scope], Iterable[str]] = _nothing
    actions: Mapping[str, Sequence[str]] = {}
    named: Mapping[str, Sequence[str]] = {}
    publishers: Callable[[Scope], Iterable[str]] = _nothing
    key_services: Callable[[Scope], Iterable[str]] = _nothing
    settings: Mapping[str, str] = {}
    by_hand: Callable[[Sequence[Scope]], Iterable[str]] = _nothing
    guide: Callable[[Sequence[Scope]], Iterable[str]] = _nothing


class Needs(Record):
    """What modes need of the components that all share; names are as they are in the cloud.

    `endpoints`: names of what is called. `captures`: prefix in the bucket of captures → days that
    calls are kept. `rollback_alarms`: names of alarms that the endpoint role looks at.
    `network_services`: services that a private network needs a way to besides the usual ones
    (`components/_services.py`).
    """

    endpoints: Sequence[str] = ()
    captures: Mapping[str, Setting] = {}
    rollback_alarms: Sequence[str] = ()
    network_services: Sequence[str] = ()


def _no_needs(_: Scope) -> Needs:
    return Needs()


class Mode(Part):
    """A part that is a mode of serving (`clouds.base.Mode`)."""

    name: str = ""
    needs: Callable[[Scope], Needs] = _no_needs
