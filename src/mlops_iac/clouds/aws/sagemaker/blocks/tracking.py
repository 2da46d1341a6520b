"""The server that keeps runs in MLflow, where the blueprint says so and models are trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlops_iac.blueprint.checks.environments import place
from mlops_iac.clouds.aws.catalogue import has_service
from mlops_iac.clouds.aws.sagemaker.deployer_actions import ROLES, SAGEMAKER_TAGS
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part, Request, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import Scope, call
from mlops_iac.clouds.base import ComponentCall, Ref, Setting
from mlops_iac.errors import Diagnostic

TRACKING = "tracking"
_SERVES = "tracking.server"
_SIZE = "options.sagemaker.tracking_size"


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    yield call(
        TRACKING,
        "tracking:Tracking",
        {
            "bucket": Ref("data", "artifacts.bucket"),
            "bucket_arn": Ref("data", "artifacts.arn"),
            "size": Setting(scope.blueprint.options.sagemaker.tracking_size.capitalize(), _SIZE),
            "key_arn": scope.data_key,
            "protect": scope.protect,
            "permissions_boundary": scope.permissions_boundary,
            "tags": scope.tags,
        },
        path="tracking",
        exports={"tracking_server": "server_arn"},
        flag=_SERVES,
    )


def _check(scope: Scope) -> Iterator[Diagnostic]:
    if scope.blueprint.tracking != "mlflow":
        if scope.resolved.is_written(_SIZE):
            yield scope.wrong(_SIZE, "there is no tracking server", "write `tracking: mlflow`")
        return
    if not has_service("sagemaker-mlflow", scope.blueprint.region):
        region = f"{scope.blueprint.region} ({place(scope.resolved, 'region')})"
        yield scope.wrong(
            "tracking", f"SageMaker has no MLflow in {region}", "write `tracking: native`"
        )
    if not scope.reaches_index:
        yield scope.wrong(
            "tracking",
            "from this network no job reaches the MLflow server, and no package index with its client",
            "write `tracking: native`, or bring a network that has a way out: `existing: {network: …}`",
        )


def _requests(scope: Scope) -> Iterator[Request]:
    if scope.tracks:
        size = scope.blueprint.options.sagemaker.tracking_size.capitalize()
        yield Request(
            "sagemaker.CreateMlflowTrackingServer",
            {"TrackingServerSize": Setting(size, _SIZE)},
            "tracking",
        )


def _guide(scopes: Sequence[Scope]) -> Iterator[str]:
    del scopes
    yield (
        "## MLflow\n\nTrainings and evaluations put parameters, metrics, pictures and models into the"
        " MLflow server of the stack (the output `tracking_server` is its ARN, and the tracking URI of clients that"
        " have `sagemaker-mlflow`); each model is an experiment. People open it from SageMaker Studio, with the"
        " rights of their own roles (`sagemaker-mlflow:AccessUI` and what they may do there). Where it does not"
        " answer, a run goes on, and its log says that it was not kept. It is billed by the hour while it stands:"
        " `aws sagemaker stop-mlflow-tracking-server` pauses it. Its artifacts lie below `mlflow/` of the artifacts"
        " bucket and are kept when the server is deleted; what else it knows goes with it."
    )


TRACKER = Part(
    there=lambda scope: scope.tracks,
    plan=_plan,
    planned=(_SIZE,),
    check=_check,
    names=lambda scope: [(TRACKING, "")] if scope.tracks else [],
    requests=_requests,
    tagged=("sagemaker.CreateMlflowTrackingServer",),
    deployed=Deployed(
        actions={
            "Tracking": (
                "iam:PassRole",
                *prefixed(
                    "sagemaker:",
                    "CreateMlflowTrackingServer DeleteMlflowTrackingServer "
                    "DescribeMlflowTrackingServer UpdateMlflowTrackingServer",
                ),
                *SAGEMAKER_TAGS,
                *ROLES,
            )
        },
        named={"sagemaker": ("sagemaker:${region}:${account}:mlflow-tracking-server/${stem}-*",)},
        passed_to=("sagemaker",),
    ),
    settings={_SERVES: "whether an MLflow server keeps the runs: models are trained here"},
    guide=_guide,
)
