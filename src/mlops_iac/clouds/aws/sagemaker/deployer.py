"""Which actions a deployment takes, by component: for whoever writes the deployer's policy.

Sources: the permissions that the CloudFormation schemas list for each resource type, and what
hashicorp/aws calls besides. The account's own administrators narrow the resources.
"""

from __future__ import annotations

from collections.abc import Iterable

_READ_BUCKET = tuple(
    f"s3:Get{what}"
    for what in (
        "AccelerateConfiguration",
        "BucketAcl",
        "BucketCORS",
        "BucketLogging",
        "BucketNotification",
        "BucketObjectLockConfiguration",
        "BucketOwnershipControls",
        "BucketPolicy",
        "BucketPublicAccessBlock",
        "BucketRequestPayment",
        "BucketTagging",
        "BucketVersioning",
        "BucketWebsite",
        "EncryptionConfiguration",
        "LifecycleConfiguration",
        "ReplicationConfiguration",
    )
)
_WRITE_BUCKET = tuple(
    f"s3:Put{what}"
    for what in (
        "BucketLogging",
        "BucketNotification",
        "BucketOwnershipControls",
        "BucketPolicy",
        "BucketPublicAccessBlock",
        "BucketTagging",
        "BucketVersioning",
        "EncryptionConfiguration",
        "LifecycleConfiguration",
    )
)
_OBJECTS = (
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:GetObject",
    "s3:GetObjectTagging",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:PutObject",
    "s3:PutObjectTagging",
    # Uploads are encrypted with the data key, in the caller's name.
    "kms:Decrypt",
    "kms:GenerateDataKey",
)
_ROLES = (
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole",
    "iam:ListRolePolicies",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
_ALARMS = (
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:ListTagsForResource",
    "cloudwatch:PutMetricAlarm",
    "cloudwatch:TagResource",
    "cloudwatch:UntagResource",
)
_SAGEMAKER_TAGS = ("sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:ListTags")

# Component → actions of its resources' lives, from creation to deletion.
ACTIONS: dict[str, tuple[str, ...]] = {
    "Keys": (
        "kms:CreateAlias",
        "kms:CreateKey",
        "kms:DeleteAlias",
        "kms:DescribeKey",
        "kms:DisableKey",
        "kms:EnableKey",
        "kms:EnableKeyRotation",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
        "kms:ListAliases",
        "kms:ListResourceTags",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:UpdateAlias",
        "kms:UpdateKeyDescription",
    ),
    "DataStore": (
        "s3:CreateBucket",
        "s3:DeleteBucket",
        "s3:DeleteBucketPolicy",
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        *_READ_BUCKET,
        *_WRITE_BUCKET,
    ),
    "Datasets": _OBJECTS,
    "Identity": _ROLES,
    "Promotion": ("iam:DeleteRolePolicy", "iam:GetRolePolicy", "iam:PutRolePolicy"),
    "Alerts": (
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:GetSubscriptionAttributes",
        "sns:GetTopicAttributes",
        "sns:ListTagsForResource",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
        "sns:TagResource",
        "sns:Unsubscribe",
        "sns:UntagResource",
    ),
    "Registry": (
        "sagemaker:CreateModelPackageGroup",
        "sagemaker:DeleteModelPackageGroup",
        "sagemaker:DeleteModelPackageGroupPolicy",
        "sagemaker:DescribeModelPackageGroup",
        "sagemaker:GetModelPackageGroupPolicy",
        "sagemaker:PutModelPackageGroupPolicy",
        *_SAGEMAKER_TAGS,
    ),
    "TrainingPipeline": (
        "iam:PassRole",
        "sagemaker:CreatePipeline",
        "sagemaker:DeletePipeline",
        "sagemaker:DescribePipeline",
        "sagemaker:UpdatePipeline",
        *_SAGEMAKER_TAGS,
        *_OBJECTS,
    ),
    "RealTimeEndpoint": (
        "application-autoscaling:DeleteScalingPolicy",
        "application-autoscaling:DeregisterScalableTarget",
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "application-autoscaling:ListTagsForResource",
        "application-autoscaling:PutScalingPolicy",
        "application-autoscaling:RegisterScalableTarget",
        "application-autoscaling:TagResource",
        "application-autoscaling:UntagResource",
        # Scaling makes alarms and, once per account, a role of its own in the caller's name.
        "iam:CreateServiceLinkedRole",
        "iam:PassRole",
        # Instances' volumes are attached under the data key, by a grant of the caller's.
        "kms:CreateGrant",
        "kms:DescribeKey",
        "sagemaker:CreateEndpoint",
        "sagemaker:CreateEndpointConfig",
        "sagemaker:CreateModel",
        "sagemaker:DeleteEndpoint",
        "sagemaker:DeleteEndpointConfig",
        "sagemaker:DeleteModel",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
        # `up` looks for the newest approved version, also in the account that trained it.
        "sagemaker:DescribeModelPackage",
        "sagemaker:ListModelPackages",
        "sagemaker:UpdateEndpoint",
        "sagemaker:UpdateEndpointWeightsAndCapacities",
        *_SAGEMAKER_TAGS,
        *_ALARMS,
    ),
    "ServiceMonitor": (
        "cloudwatch:DeleteDashboards",
        "cloudwatch:GetDashboard",
        "cloudwatch:PutDashboard",
        *_ALARMS,
    ),
    "RetrainTriggers": (
        "events:DeleteRule",
        "events:DescribeRule",
        "events:ListTagsForResource",
        "events:ListTargetsByRule",
        "events:PutRule",
        "events:PutTargets",
        "events:RemoveTargets",
        "events:TagResource",
        "events:UntagResource",
        "iam:PassRole",
        "lambda:AddPermission",
        "lambda:CreateFunction",
        "lambda:DeleteFunction",
        "lambda:GetFunction",
        "lambda:GetFunctionCodeSigningConfig",
        "lambda:GetFunctionConfiguration",
        "lambda:GetPolicy",
        "lambda:ListTags",
        "lambda:ListVersionsByFunction",
        "lambda:RemovePermission",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
        "logs:PutRetentionPolicy",
        "logs:TagResource",
        "logs:UntagResource",
        "scheduler:CreateSchedule",
        "scheduler:CreateScheduleGroup",
        "scheduler:DeleteSchedule",
        "scheduler:DeleteScheduleGroup",
        "scheduler:GetSchedule",
        "scheduler:GetScheduleGroup",
        "scheduler:ListTagsForResource",
        "scheduler:TagResource",
        "scheduler:UntagResource",
        "scheduler:UpdateSchedule",
        "sqs:CreateQueue",
        "sqs:DeleteQueue",
        "sqs:GetQueueAttributes",
        "sqs:GetQueueUrl",
        "sqs:ListQueueTags",
        "sqs:SetQueueAttributes",
        "sqs:TagQueue",
        "sqs:UntagQueue",
        *_ROLES,
        *_OBJECTS,
        *_ALARMS,
    ),
    "Budget": (
        "budgets:ListTagsForResource",
        "budgets:ModifyBudget",
        "budgets:TagResource",
        "budgets:UntagResource",
        "budgets:ViewBudget",
    ),
}

# The one right that the deployer has not: who may approve must not be who deploys or trains.
APPROVER = (
    "sagemaker:DescribeModelPackage",
    "sagemaker:ListModelPackages",
    "sagemaker:UpdateModelPackage",
)


def by_service(components: Iterable[str]) -> dict[str, list[str]]:
    """The actions that a deployment of these components takes: service → names, both sorted."""
    found: dict[str, set[str]] = {}
    for component in components:
        for action in ACTIONS[component]:
            service, _, name = action.partition(":")
            found.setdefault(service, set()).add(name)
    return {service: sorted(found[service]) for service in sorted(found)}
