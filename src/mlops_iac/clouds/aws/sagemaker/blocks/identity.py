"""The roles of the lifecycle: who starts jobs, who runs them, who serves."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.blocks.access_checks import check_access
from mlops_iac.clouds.aws.sagemaker.blocks.data_store import captures
from mlops_iac.clouds.aws.sagemaker.blocks.datasets import trained_on, uris
from mlops_iac.clouds.aws.sagemaker.blocks.network import in_network
from mlops_iac.clouds.aws.sagemaker.blocks.sealing import SEALING
from mlops_iac.clouds.aws.sagemaker.blocks.tracking import TRACKING
from mlops_iac.clouds.aws.sagemaker.blocks.training_calls import pipeline_steps
from mlops_iac.clouds.aws.sagemaker.deployer_actions import ROLES as ROLE_ACTIONS
from mlops_iac.clouds.aws.sagemaker.modes import needs
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part, Request
from mlops_iac.clouds.aws.sagemaker.scope import ROLES, STACK_TAG, Scope, call
from mlops_iac.clouds.base import ComponentCall, Ref, Setting

TRAINED_MODELS = "training.models"
JOBS = "training.jobs"


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    needed = needs(scope)
    yield call(
        "identity",
        "identity:Identity",
        {
            "data_bucket_arn": Ref("data", "data.arn"),
            "artifacts_bucket_arn": Ref("data", "artifacts.arn"),
            "captures_bucket_arn": captures(scope),
            "key_arn": scope.data_key,
            "models": Setting(
                [scope.known_as("models", name) for name in scope.trained], TRAINED_MODELS
            ),
            "steps": scope.steps,
            "jobs": _jobs(scope),
            "job_tags": {STACK_TAG: scope.tags[STACK_TAG]},
            "endpoints": needed.endpoints or None,
            "captures": list(needed.captures) or None,
            "images": Setting(machines.repositories(scope), "images"),
            "source_uris": uris(scope, trained_on(scope)) or None,
            "model_uris": machines.model_uris(scope) or None,
            "rollback_alarms": needed.rollback_alarms or None,
            "seal_function_arn": Ref(SEALING, "function_arn") if scope.trained else None,
            "tracking_server_arn": Ref(TRACKING, "server_arn") if scope.tracks else None,
            "existing_roles": _existing_roles(scope) or None,
            "private_network": in_network(scope),
            "subnets": scope.placed("subnets"),
            "security_groups": scope.placed("security_groups"),
            "permissions_boundary": scope.permissions_boundary,
            "tags": scope.tags,
        },
        path="security",
    )


def _jobs(scope: Scope) -> Setting | None:
    """What pipelines start, of whatever any environment trains; nothing where none does."""
    models = [name for name, model in scope.blueprint.models.items() if model.train is not None]
    steps = [step for name in models for step in pipeline_steps(scope, name)]
    kinds = {step["Type"] for step in steps} & {"Processing", "Training", "Tuning"}
    return Setting(sorted(kinds), JOBS) if kinds else None


def _existing_roles(scope: Scope) -> dict[str, Setting]:
    """Roles that are used as they are, by plane or step."""
    found = {plane: scope.existing_role(plane) for plane in (*scope.steps, "pipeline", "serve")}
    return {plane: arn for plane, arn in found.items() if arn is not None}


def _requests(scope: Scope) -> Iterator[Request]:
    key, boundary = scope.existing("key"), scope.permissions_boundary
    yield Request("sagemaker.CreateEndpointConfig", {"KmsKeyId": key}, "existing.key")
    yield Request("iam.CreateRole", {"PermissionsBoundary": boundary}, "security")
    for plane in ROLES:
        role = scope.existing_role(plane)
        yield Request("sagemaker.CreateModel", {"ExecutionRoleArn": role}, "existing.roles")


IDENTITY = Part(
    plan=_plan,
    planned=(
        "security.access.approvers",
        "options.sagemaker.permissions_boundary",
        "existing.roles.*",
    ),
    check=check_access,
    names=lambda _: [("identity", "")],
    requests=_requests,
    tagged=("iam.CreateRole",),
    deployed=Deployed(actions={"Identity": ROLE_ACTIONS}),
    settings={
        TRAINED_MODELS: "the models that the pipeline role may register versions of",
        JOBS: "the kinds of jobs that pipelines start",
    },
)
