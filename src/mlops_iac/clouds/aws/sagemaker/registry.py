"""Model package groups and the versions in them, through SageMaker's own API.

Source: SageMaker API reference, ListModelPackages, DescribeModelPackage, UpdateModelPackage,
DeleteModelPackage.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlops_iac.clouds.aws.sagemaker.definition.jobs import EXAMPLES
from mlops_iac.clouds.aws.session import AwsSession
from mlops_iac.clouds.operations import APPROVED, REJECTED, Version

# A version in a group: region, account, group, number. Source: SageMaker API reference,
# ModelPackageArn.
PACKAGE = re.compile(r"arn:[^:]+:sagemaker:([^:]+):(\d*):model-package/([^/]+)/(\d+)")
# What the printed pipelines register lies below it, and no job may write there
# (`clouds/aws/components/sealing.py`).
_SEALED = "models/"


class PackageGroups:
    """The registries that a session reaches."""

    def __init__(self, session: AwsSession) -> None:
        self._session = session

    def versions(self, group: str, status: str = "") -> list[Version]:
        """The versions in a group, newest first; none where there is no such group."""
        filters = {"ModelApprovalStatus": status} if status else {}
        found = [
            Version(
                model=group,
                version=int(item["ModelPackageVersion"]),
                status=item["ModelApprovalStatus"],
                id=item["ModelPackageArn"],
                created=item["CreationTime"],
            )
            for item in listed(self._session.client("sagemaker"), group, **filters)
            # The emulator filters none.
            if not status or item["ModelApprovalStatus"] == status
        ]
        return sorted(found, key=lambda each: each.version, reverse=True)

    def describe(self, id_: str) -> Version:
        """Everything registered about a version, but the metrics."""
        answer = self._asked("sagemaker", id_).describe_model_package(ModelPackageName=id_)
        answer.pop("ResponseMetadata", None)
        match = PACKAGE.fullmatch(id_)
        containers = (answer.get("InferenceSpecification") or {}).get("Containers") or ()
        return Version(
            model=match[3] if match else "",
            version=int(match[4]) if match else 0,
            status=answer.get("ModelApprovalStatus") or "",
            id=id_,
            created=answer["CreationTime"],
            comment=answer.get("ApprovalDescription") or "",
            details=answer,
            changed=answer.get("LastModifiedTime") or answer["CreationTime"],
            by=_who(answer.get("LastModifiedBy") or {}),
            run=_run(containers),
            images=tuple(str(each.get("Image") or "") for each in containers),
            unsealed=next(_unsealed(containers), ""),
        )

    def metrics(self, version: Version) -> dict[str, float]:
        """The numbers of the report that a described version was registered with."""
        quality = version.details.get("ModelMetrics", {}).get("ModelQuality", {})
        uri = str(quality.get("Statistics", {}).get("S3Uri", ""))
        s3 = self._asked("s3", version.id)
        try:
            report = self._sealed(uri, s3)
        except (s3.exceptions.ClientError, ValueError):
            return {}  # expired or never written; the version itself is still there
        return {name: float(value) for name, value in report.get("metrics", {}).items()}

    def examples(self, version: Version) -> Mapping[str, Any]:
        """What a described version answered before it was registered; empty where it was not asked."""
        named = version.details.get("CustomerMetadataProperties") or {}
        try:
            return self._sealed(str(named.get(EXAMPLES, "")), self._asked("s3", version.id))
        except ValueError:
            return {}  # somebody else's, under the same name

    @staticmethod
    def _sealed(uri: str, s3: Any) -> dict[str, Any]:
        """The JSON object at a URI; an empty one where there is no URI."""
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not key:
            return {}
        found = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        if not isinstance(found, dict):
            raise ValueError(f"{uri} is no object")
        return found

    def decide(self, id_: str, *, approve: bool, comment: str = "") -> None:
        """Approve or reject a version; `comment` goes with it."""
        self._asked("sagemaker", id_).update_model_package(
            ModelPackageArn=id_,
            ModelApprovalStatus=APPROVED if approve else REJECTED,
            **({"ApprovalDescription": comment} if comment else {}),
        )

    def _asked(self, service: str, id_: str) -> Any:
        """The client where a version is registered, which may be another account's place."""
        match = PACKAGE.fullmatch(id_)
        return self._session.client(service, *(match.groups()[:2] if match else ()))


def registry(session: AwsSession) -> PackageGroups:
    """The registries that a session reaches."""
    return PackageGroups(session)


def listed(client: Any, group: str, **filters: str) -> Iterator[Mapping[str, Any]]:
    """What ListModelPackages says of each version; nothing where somebody deleted the group."""
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, **filters
    )
    try:
        for page in pages:
            yield from page["ModelPackageSummaryList"]
    except client.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        if code != "ResourceNotFound" and "does not exist" not in str(error):
            raise


def _who(user: Mapping[str, Any]) -> str:
    """A person where the service knows one, else the name of the role's session or of the user.

    Source: SageMaker API reference, UserContext, IamIdentity.
    """
    identity = user.get("IamIdentity") or {}
    named = user.get("UserProfileName") or identity.get("SourceIdentity")
    kind, _, name = str(identity.get("Arn") or "").rpartition(":")[2].partition("/")
    return str(named or name or kind)


def _run(containers: Sequence[Mapping[str, Any]]) -> str:
    """The run that registered it: the sealed artifact lies below it (models/MODEL/RUN/ETAG/…)."""
    uri = str(containers[0].get("ModelDataUrl") or "") if containers else ""
    parts = uri.removeprefix("s3://").split("/")
    return parts[3] if len(parts) == 6 and parts[1] == "models" else ""


def _unsealed(containers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Artifacts that a training may replace after the approval."""
    for each in containers:
        source = (each.get("ModelDataSource") or {}).get("S3DataSource") or {}
        uri = str(each.get("ModelDataUrl") or source.get("S3Uri") or "")
        _, _, key = uri.removeprefix("s3://").partition("/")  # an https one keeps its host
        if uri and not key.startswith(_SEALED):
            yield uri
