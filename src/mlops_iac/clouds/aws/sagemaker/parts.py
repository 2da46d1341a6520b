"""What a plan is put together from: blocks and modes, each an object that says what follows from it.

Whatever is asked of a whole stack (calls, decisions, checks, requests, the deployer's rights, names,
the guide) is folded over `stack.PARTS`. What a part does not say asks for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mlops_iac.blueprint.sections.serving import ServingEntry
from mlops_iac.clouds import parts
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.base import Setting
from mlops_iac.clouds.parts import collected, nothing, of_each, prefixed
from mlops_iac.records import Record

__all__ = [
    "TAG_PLACES", "Deployed", "Mode", "Needs", "Part", "Request", "collected", "of_each", "prefixed",
]  # fmt: skip

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


class Part(parts.Part[Scope]):
    """A part of a stack on SageMaker.

    `requests`: what is sent with values of the blueprint, to be held to the service's model. Where it is
    there: `tagged` are operations that make resources with tags; `publishers` services that write to the
    topic of alerts, `key_services` those that write under the key for operations.
    """

    requests: Callable[[Scope], Iterable[Request]] = nothing
    tagged: Sequence[str] = ()
    deployed: Deployed = Deployed()
    publishers: Sequence[str] = ()
    key_services: Sequence[str] = ()


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
