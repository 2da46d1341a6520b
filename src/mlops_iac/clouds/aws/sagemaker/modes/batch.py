"""Batch serving: a pipeline per entry that predicts for a whole dataset, and bills nothing between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_iac.blueprint.sections.serving import Batch
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.deployer_actions import ALARMS, FUNCTIONS, OBJECTS
from mlops_iac.clouds.aws.sagemaker.modes.batch_calls import compiled, plan_batch, variables
from mlops_iac.clouds.aws.sagemaker.modes.batch_checks import check_batch
from mlops_iac.clouds.aws.sagemaker.modes.batch_requests import batch_requests
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Mode, Needs, of_each, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import Scope
from mlops_iac.clouds.base import Refusal
from mlops_iac.errors import Diagnostic

_HERE = "glue:${region}:${account}"


def _entries(scope: Scope) -> dict[str, Batch]:
    return scope.entries(Batch)


def _values(scope: Scope, name: str, entry: Batch) -> Iterator[Diagnostic]:
    at = f"serving.{name}.compute"
    return machines.check_instance(scope, at, entry.compute, "transform")


def _names(scope: Scope) -> Iterator[tuple[str, str]]:
    for name in _entries(scope):
        yield from ((variable, f"serving.{name}") for variable in variables(name))


def _needs(scope: Scope) -> Needs:
    entries = _entries(scope).values()
    new = [name for each in entries for name in each.new_data]
    return Needs(datasets=[*(each.input for each in entries if each.input), *new], new_data=new)


def _guide(_: Sequence[Scope]) -> list[str]:
    return [
        "## Batch predictions",
        "",
        (
            "A run waits for nobody: it takes the newest approved version, or fails and says what to"
            " approve. What it predicted lies below the output `<entry>_output` in a folder of its own,"
            " `run=<id>/`; it is complete once `_SUCCESS` is there. The catalogue knows it as a"
            " partition of a table, in a database whose name is `${catalogue}_<entry>`"
            " (`${catalogue}` is `${stem}` with `_` for `-`)."
        ),
        "",
        (
            "The models that runs make of versions are free of charge and deleted by later runs; a"
            " `destroy` leaves the last ones."
        ),
    ]


BATCH = Mode(
    name="batch",
    section=Batch,
    there=_entries,
    plan=of_each(Batch, plan_batch),
    planned=prefixed(
        "serving.*.",
        "description mode model input output schedule new_data env.* compute.size compute.instance "
        "compute.count compute.disk_gb compute.spot monitor.limits.*.at_most",
    ),
    refused=(
        Refusal(
            "serving.*.compute.spot",
            "nothing that serves has spot capacity",
            "leave it out; a smaller instance or fewer of them cost less",
            (False,),
        ),
        Refusal("serving.*.runtime", "an entry serves with its model's runtime", "set it there"),
        Refusal("serving.*.monitor.schedule", "drift is not computed yet", "leave it out"),
        Refusal("serving.*.monitor.outcomes", "outcomes are not joined yet", "leave it out"),
        Refusal(
            "serving.*.monitor.limits.*.at_least",
            "of what is measured only more is worse",
            "write `at_most`",
        ),
    ),
    values=of_each(Batch, _values),
    check=of_each(Batch, check_batch),
    names=_names,
    compiled=lambda scope: [
        (name, compiled(scope, name, entry)) for name, entry in scope.entries(Batch).items()
    ],
    requests=of_each(Batch, batch_requests),
    tagged=(
        "s3.PutObjectTagging",
        "lambda.CreateFunction",
        "logs.CreateLogGroup",
        "sagemaker.CreateModel",
        "sagemaker.CreatePipeline",
        "scheduler.CreateScheduleGroup",
        "events.PutRule",
    ),
    needs=_needs,
    deployed=Deployed(
        actions={
            "BatchPrediction": (
                *prefixed(
                    "glue:",
                    "CreateDatabase CreateTable DeleteDatabase DeleteTable GetDatabase "
                    "GetPartitionIndexes GetTable GetTags TagResource UntagResource UpdateDatabase "
                    "UpdateTable",
                ),
                *FUNCTIONS,
                *OBJECTS,
                *ALARMS,
            )
        },
        named={
            "glue": (
                f"{_HERE}:catalog",
                f"{_HERE}:database/${{catalogue}}_*",
                f"{_HERE}:table/${{catalogue}}_*/*",
                # A database is deleted with them, although a stack's holds none.
                f"{_HERE}:userDefinedFunction/${{catalogue}}_*/*",
            )
        },
        passed_to=("lambda", "sagemaker"),
    ),
    settings={
        "serving.*.images": "the images that jobs of {name} pull",
        "serving.*.version": "the version that {name} predicts with; left out, each run takes the"
        " newest approved one",
    },
    guide=_guide,
)
