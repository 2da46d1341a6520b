"""Registered model versions of a stack: list, show, approve, reject, and which one to serve."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_iac.errors import MlopsError, UsageError

if TYPE_CHECKING:
    from mlops_iac.api.project import Project

APPROVED, REJECTED, PENDING = "Approved", "Rejected", "PendingManualApproval"
_SEALED = "models/"  # what the printed pipelines register lies below it


@dataclass(frozen=True, slots=True)
class Version:
    """One registered version. `status` is SageMaker's ModelApprovalStatus.

    `version` counts from 1 per model; `created` has a time zone; `metrics` are the numbers of the
    evaluation's report; `details` is DescribeModelPackage's answer.
    """

    model: str
    version: int
    status: str
    arn: str
    created: datetime
    metrics: Mapping[str, float] = field(default_factory=dict)
    comment: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "model": self.model,
            "version": self.version,
            "status": self.status,
            "arn": self.arn,
            "created": self.created.isoformat(),
            "metrics": dict(self.metrics),
            "comment": self.comment,
            **({"details": dict(self.details)} if self.details else {}),
        }


class Registry:
    """The model package groups of one stack, through SageMaker's own API.

    Methods that take a model raise UsageError for one that the blueprint does not train; `None` is
    the only one that it trains. `local` is asked of the emulated cloud, every other stack with the
    user's credentials: AuthenticationError, and botocore's own errors.
    Source: SageMaker API reference, ListModelPackages, DescribeModelPackage, UpdateModelPackage.
    """

    def __init__(self, project: Project, stack: str) -> None:
        self.project = project
        self.stack = stack

    @property
    def trained_by(self) -> str:
        """What makes versions of this stack."""
        if not self.project.emulates(self.stack):
            return "the pipeline in its cloud"
        if not self.project.rehearsed:
            return "`mlops-iac run`"
        from mlops_iac.clouds.aws.sagemaker.scope import Scope

        scope = Scope(self.project.resolve(self.stack))
        homes = [scope.home(name).environment for name in self._trained()]
        return f"`mlops-iac run -s {homes[0] if homes else self.stack}`"

    def versions(self, model: str | None = None) -> list[Version]:
        """Return the versions of one model, or of all, newest first."""
        names = [trained_model(self.project, model)] if model else self._trained()
        found: list[Version] = []
        for name in names:
            group = self.group(name)
            if group is not None:
                found.extend(self._list(name, group))
        return found

    def version(self, model: str | None, version: str) -> Version:
        """Return one version with everything registered about it; `latest` is the newest.

        Raises UsageError where there is no such version.
        """
        name = trained_model(self.project, model)
        versions = self.versions(name)
        if version == "latest" and versions:
            chosen = versions[0]
        else:
            matching = [item for item in versions if str(item.version) == version]
            if not matching:
                there = ", ".join(str(item.version) for item in versions) or "none yet"
                raise UsageError(
                    f"model {name} has no version {version!r} in {self.stack}",
                    hint=f"it has: {there}; {self.trained_by} trains and registers one",
                )
            chosen = matching[0]
        return self._describe(chosen)

    def decide(
        self, model: str | None, version: str, *, approve: bool, comment: str = ""
    ) -> Version:
        """Approve or reject a version and return it as it is then; `comment` goes with it.

        Raises UsageError where there is no such version.
        """
        chosen = self.version(model, version)
        arguments = {
            "ModelPackageArn": chosen.arn,
            "ModelApprovalStatus": APPROVED if approve else REJECTED,
        }
        if comment:
            arguments["ApprovalDescription"] = comment
        self._client("sagemaker").update_model_package(**arguments)
        return self._describe(chosen)

    def serves(self, version: Version) -> bool:
        """Whether what is deployed to the stack serves a version."""
        from mlops_iac.api.deploy.running_versions import package_of

        with self.project.deployment(self.stack) as deployment:
            found = [package_of(each.inputs) for each in deployment.resources()]
        return any(match and match[0] == version.arn for match in found)

    def approved(self, model: str) -> str | None:
        """Return the number of the newest approved version, or None."""
        group = self.group(model)
        if group is None:
            return None
        found = newest_approved(self._client("sagemaker"), group)
        return found[0] if found else None

    def group(self, model: str) -> str | None:
        """Return the name of a model's package group, or None before it is deployed."""
        outputs = self.project.outputs(self.stack)
        moved = self.project.resolve(self.stack).blueprint.moved
        return model_output(outputs, moved, model, "model_package_group")

    def _trained(self) -> list[str]:
        models = self.project.resolve(self.stack).blueprint.models
        return [name for name, model in models.items() if model.train is not None]

    def _list(self, model: str, group: str) -> list[Version]:
        client = self._client("sagemaker")
        found: list[Version] = []
        arguments: dict[str, Any] = {"ModelPackageGroupName": group, "MaxResults": 100}
        while True:
            page = client.list_model_packages(**arguments)
            found.extend(
                self._describe(_summary(model, item)) for item in page["ModelPackageSummaryList"]
            )
            if "NextToken" not in page:
                break
            arguments["NextToken"] = page["NextToken"]
        return sorted(found, key=lambda item: item.version, reverse=True)

    def _describe(self, version: Version) -> Version:
        answer = self._client("sagemaker").describe_model_package(ModelPackageName=version.arn)
        answer.pop("ResponseMetadata", None)
        return Version(
            model=version.model,
            version=version.version,
            status=answer["ModelApprovalStatus"],
            arn=version.arn,
            created=version.created,
            metrics=measured(self._client("s3"), answer),
            comment=answer.get("ApprovalDescription") or "",
            details=answer,
        )

    def _client(self, service: str) -> Any:
        if self.project.emulates(self.stack):
            return self.project.cloud.client(service, self.stack)
        return real_client(service, self._region)

    @cached_property
    def _region(self) -> str:
        """Where the stack was deployed, whatever its blueprint says since."""
        with self.project.deployment(self.stack) as deployment:
            return deployment.region


def trained_model(project: Project, name: str | None) -> str:
    """Return the trained model meant: the one named, or the only one. Raises UsageError otherwise."""
    from mlops_iac.api.project import LOCAL

    models = project.resolve(LOCAL).blueprint.models
    names = [key for key, model in models.items() if model.train is not None]
    if name is None and len(names) == 1:
        return names[0]
    if name in names:
        return str(name)
    if name is None:
        raise UsageError("which model?", hint=f"one of {', '.join(names) or 'none in here'}")
    near = get_close_matches(name, names, n=1)
    raise UsageError(
        f"the blueprint has no trained model {name!r}",
        hint=f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(names) or 'none'}",
    )


def measured(s3: Any, answer: Mapping[str, Any]) -> dict[str, float]:
    """Return the numbers of the report that a version was registered with.

    `answer` is DescribeModelPackage's.
    """
    statistics = answer.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {})
    bucket, _, key = str(statistics.get("S3Uri", "")).removeprefix("s3://").partition("/")
    if not key:
        return {}
    try:
        report = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except (s3.exceptions.ClientError, ValueError):
        return {}  # expired or never written; the version itself is still there
    return {name: float(value) for name, value in report.get("metrics", {}).items()}


def _summary(model: str, item: Mapping[str, Any]) -> Version:
    return Version(
        model=model,
        version=int(item["ModelPackageVersion"]),
        status=item["ModelApprovalStatus"],
        arn=item["ModelPackageArn"],
        created=item["CreationTime"],
    )


def model_output(
    outputs: Mapping[str, Any], moved: Mapping[str, str], model: str, kind: str
) -> str | None:
    """Return what a stack put out for a model: `kind` is `model_package_group` or `pipeline`.

    A stack that was last deployed before a rename (`moved`, new path: old path) has it by the
    model's former name. None before it is deployed at all.
    """
    former = moved.get(f"models.{model}", "").removeprefix("models.")
    for name in filter(None, (model, former)):
        if found := outputs.get(f"{name.replace('-', '_')}_{kind}"):
            return str(found)
    return None


def home_group(project: Project, stack: str, model: str) -> str:
    """Return the package group that holds the versions a stack serves, for its own API to look up.

    Its ARN where the account is known, because the group may be another account's: that of the
    environment at the end of the chain of `promote_from` (SageMaker API reference,
    ListModelPackages: a name or an ARN).
    """
    from mlops_iac.clouds.aws.catalogue import partition_of
    from mlops_iac.clouds.aws.sagemaker.scope import Scope

    home = Scope(project.resolve(stack)).home(model)
    if home.account is None:
        return home.group
    partition = partition_of(home.region)
    return (
        f"arn:{partition}:sagemaker:{home.region}:{home.account}:model-package-group/{home.group}"
    )


def newest_approved(client: Any, group: str) -> tuple[str, str] | None:
    """Return the number and the ARN of the newest approved version in a group, or None.

    Source: SageMaker API reference, ListModelPackages with ModelApprovalStatus; versions of a group
    are numbered in the order of their registration.
    """
    found = [
        (int(item["ModelPackageVersion"]), str(item["ModelPackageArn"]))
        for item in versions_of(client, group, ModelApprovalStatus=APPROVED)
        if item["ModelApprovalStatus"] == APPROVED
    ]
    return (str(max(found)[0]), max(found)[1]) if found else None


def require_sealed(model: str, version: str, answer: Mapping[str, Any], *, stack: str) -> None:
    """Raise UsageError for a version whose artifact a training may replace after its approval.

    `answer` is DescribeModelPackage's. Everything below `models/` is the sealing function's copy:
    no job may write there (`clouds/aws/components/sealing.py`).
    """
    containers = (answer.get("InferenceSpecification") or {}).get("Containers") or ()
    for each in containers:
        source = (each.get("ModelDataSource") or {}).get("S3DataSource") or {}
        uri = str(each.get("ModelDataUrl") or source.get("S3Uri") or "")
        _, _, key = uri.removeprefix("s3://").partition("/")  # an https one keeps its host
        if uri and not key.startswith(_SEALED):
            raise UsageError(
                f"{model}/{version} of {stack} is not sealed: its artifact is {uri}, and only what"
                f" lies below {_SEALED} of the stack's bucket of artifacts is still what was approved",
                hint=f"reject it (`mlops-iac models reject {model} {version} -s {stack}`), and let"
                " the pipeline train and register one",
            )


def registered(client: Any, group: str) -> set[str]:
    """Return the numbers of all versions in a group; none where there is no such group."""
    return {str(item["ModelPackageVersion"]) for item in versions_of(client, group)}


def waiting(client: Any, group: str) -> list[Mapping[str, Any]]:
    """Return ListModelPackages' summaries of what waits for an approval, newest first."""
    found = [
        item
        for item in versions_of(client, group, ModelApprovalStatus=PENDING)
        if item["ModelApprovalStatus"] == PENDING
    ]
    return sorted(found, key=lambda item: int(item["ModelPackageVersion"]), reverse=True)


def versions_of(client: Any, group: str, **filters: str) -> list[Mapping[str, Any]]:
    """Return what ListModelPackages says of each version; none where there is no such group."""
    try:
        pages = client.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=group, **filters
        )
        return [item for page in pages for item in page["ModelPackageSummaryList"]]
    except client.exceptions.ResourceNotFound:
        return []


def real_client(service: str, region: str) -> Any:
    """Return a boto3 client of the real cloud, with the user's own credentials.

    Raises MlopsError where boto3 is missing. Calls raise botocore's own errors.
    """
    return real_session(region).client(service)


def real_session(region: str, role: Mapping[str, str] | None = None) -> Any:
    """Return a boto3 session, the user's own or that of the credentials STS gave for a `role`.

    Raises MlopsError where boto3 is missing.
    """
    try:
        import boto3
    except ImportError as error:
        raise MlopsError("boto3 is not installed", hint="pip install 'mlops-iac[aws]'") from error
    if role is None:
        return boto3.Session(region_name=region)
    return boto3.Session(
        role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"], region_name=region
    )
