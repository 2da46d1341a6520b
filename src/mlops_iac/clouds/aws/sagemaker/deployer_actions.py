"""Which actions a deployment takes for kinds of resources that several components have.

Each part says those of its components. Sources: the permissions that the CloudFormation schemas list
for each resource type, and what hashicorp/aws calls besides. `deployer_policy` says on what.
"""

from __future__ import annotations

from mlops_iac.clouds.aws.sagemaker.parts import prefixed

OBJECTS = (
    *prefixed(
        "s3:",
        "DeleteObject DeleteObjectVersion GetObject GetObjectTagging ListBucket "
        "ListBucketVersions PutObject PutObjectTagging",
    ),
    # Uploads are encrypted with the data key, in the caller's name.
    "kms:Decrypt",
    "kms:GenerateDataKey",
)
ROLES = prefixed(
    "iam:",
    "CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy GetRole "
    "GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies "
    "PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy "
    "UpdateRole UpdateRoleDescription",
)
LOG_GROUPS = prefixed(
    "logs:",
    "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteRetentionPolicy DescribeLogGroups "
    "DisassociateKmsKey ListTagsForResource PutRetentionPolicy TagResource UntagResource",
)
FUNCTIONS = (
    "iam:PassRole",
    *prefixed(
        "lambda:",
        "AddPermission CreateFunction DeleteFunction GetFunction GetFunctionCodeSigningConfig "
        "GetFunctionConfiguration GetPolicy ListTags ListVersionsByFunction RemovePermission "
        "TagResource UntagResource UpdateFunctionCode UpdateFunctionConfiguration",
    ),
    *LOG_GROUPS,
    *ROLES,
)
ALARMS = prefixed(
    "cloudwatch:",
    "DeleteAlarms DescribeAlarms ListTagsForResource PutMetricAlarm TagResource UntagResource",
)
RULES = prefixed(
    "events:",
    "DeleteRule DescribeRule ListTagsForResource ListTargetsByRule PutRule PutTargets "
    "RemoveTargets TagResource UntagResource",
)
QUEUES = prefixed(
    "sqs:",
    "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags SetQueueAttributes "
    "TagQueue UntagQueue",
)
SAGEMAKER_TAGS = ("sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:ListTags")

# The one right that the deployer has not: who may approve must not be who deploys or trains.
APPROVER = prefixed("sagemaker:", "DescribeModelPackage ListModelPackages UpdateModelPackage")
