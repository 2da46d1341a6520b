"""The stack's buckets: data, artifacts, captured calls and the log of accesses."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_iac.clouds.aws.sagemaker.blocks.promotion import readers
from mlops_iac.clouds.aws.sagemaker.modes import needs
from mlops_iac.clouds.aws.sagemaker.parts import Deployed, Part, prefixed
from mlops_iac.clouds.aws.sagemaker.scope import Scope, call
from mlops_iac.clouds.base import ComponentCall, Ref, Setting

NEW_DATA_EVENTS = "datasets.new_data_events"


def _plan(scope: Scope) -> Iterator[ComponentCall]:
    captured = needs(scope).captures
    exports = {"data_bucket": "data.bucket", "artifacts_bucket": "artifacts.bucket"}
    if captured:
        exports["captures_bucket"] = "captures.bucket"
    yield call(
        "data",
        "data_store:DataStore",
        {
            "key_arn": scope.data_key,
            "captures": captured or None,
            "event_bridge": Setting(_listens(scope), NEW_DATA_EVENTS),
            "audit": scope.audit_log,
            "audit_key_arn": scope.audit_key,
            "reader_accounts": readers(scope),
            "protect": scope.protect,
            "tags": scope.tags,
        },
        path="",
        exports=exports,
    )


def _listens(scope: Scope) -> bool:
    """Whether anything waits for new files in the stack's own bucket."""
    models = (scope.blueprint.models[name] for name in scope.trained)
    names = [name for model in models if model.retrain for name in model.retrain.new_data]
    waited = [*names, *needs(scope).new_data]
    sections = (scope.blueprint.datasets[name] for name in waited)
    return any(each.is_local or each.is_made for each in sections)


def buckets() -> list[Ref]:
    """Buckets that jobs and endpoints read and write in every environment."""
    return [Ref("data", "data.arn"), Ref("data", "artifacts.arn")]


def captures(scope: Scope) -> Ref | None:
    """The bucket of captured calls, where any are captured."""
    return Ref("data", "captures.arn") if needs(scope).captures else None


_READ_BUCKET = prefixed(
    "s3:Get",
    "AccelerateConfiguration BucketAcl BucketCORS BucketLogging BucketNotification "
    "BucketObjectLockConfiguration BucketOwnershipControls BucketPolicy "
    "BucketPublicAccessBlock BucketRequestPayment BucketTagging BucketVersioning "
    "BucketWebsite EncryptionConfiguration LifecycleConfiguration ReplicationConfiguration",
)
_WRITE_BUCKET = prefixed(
    "s3:Put",
    "BucketLogging BucketNotification BucketOwnershipControls BucketPolicy "
    "BucketPublicAccessBlock BucketTagging BucketVersioning EncryptionConfiguration "
    "LifecycleConfiguration",
)

DATA_STORE = Part(
    plan=_plan,
    names=lambda _: [("data", "")],
    deployed=Deployed(
        actions={
            "DataStore": (
                *prefixed(
                    "s3:",
                    "CreateBucket DeleteBucket DeleteBucketPolicy DeleteObject "
                    "DeleteObjectVersion ListBucket ListBucketVersions",
                ),
                # Newer providers tag buckets by these (pulumi-aws 7.51).
                *prefixed("s3:", "ListTagsForResource TagResource UntagResource"),
                *_READ_BUCKET,
                *_WRITE_BUCKET,
            )
        },
    ),
    settings={
        NEW_DATA_EVENTS: "whether the data bucket tells EventBridge of new files, because they"
        " start a training here",
    },
)
