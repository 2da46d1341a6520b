"""What a role of the ML lifecycle can be granted, each grant with its reason.

Actions and the resource kinds they take: AWS service authorization reference. What the roles need:
Amazon SageMaker developer guide, "How to use SageMaker AI execution roles".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import pulumi

from ._context import Context
from ._iam import Statement, statement

# Of the artifacts bucket: what MLflow keeps.
TRACKED_PREFIX = "mlflow/"
JobKind = Literal["Processing", "Training", "Transform", "Tuning"]
# The kind of a step → what IAM calls its jobs, their ARNs, and what else a step asks. SageMaker
# names a pipeline's jobs `pipelines-<execution>-…`; a tuning's name is shorter. Trainings of a
# tuning are started by SageMaker: the tuning is what the pipeline starts (SageMaker developer
# guide, "CreateHyperParameterTuningJob API: Execution Role Permissions").
_JOBS: dict[JobKind, tuple[str, str, tuple[str, ...]]] = {
    "Processing": ("ProcessingJob", "processing-job/pipelines-*", ()),
    "Training": ("TrainingJob", "training-job/pipelines-*", ()),
    "Transform": ("TransformJob", "transform-job/pipelines-*", ()),
    # A tuning step's properties are those of its description and this list.
    "Tuning": (
        "HyperParameterTuningJob",
        "hyper-parameter-tuning-job/*",
        ("sagemaker:ListTrainingJobsForHyperParameterTuningJob",),
    ),
}


class Grants:
    """Statements for one account and region. `key_arn`: the customer key of the data, if any."""

    def __init__(self, context: Context, key_arn: pulumi.Input[str] | None) -> None:
        self._context = context
        self._key_arn = key_arn

    def start_jobs(
        self, kinds: Sequence[JobKind], tags: Mapping[str, pulumi.Input[str]]
    ) -> list[Statement]:
        """What a pipeline does with its jobs, which carry `tags`. No other stack's jobs do."""
        made = []
        for kind in kinds:
            job, arn, more = _JOBS[kind]
            jobs, words = [self._context.arn("sagemaker", arn)], f"its {kind.lower()} jobs"
            wildcard = "SageMaker makes the names of a pipeline's jobs when it runs"
            made += [
                statement(
                    f"Start{kind}Jobs",
                    [f"sagemaker:Create{job}", "sagemaker:AddTags"],
                    jobs,
                    reason=f"the pipeline starts {words}, and tags them with costs",
                    wildcard=wildcard,
                    conditions=_equal({f"aws:RequestTag/{key}": tags[key] for key in tags}),
                ),
                statement(
                    f"Follow{kind}Jobs",
                    [*(f"sagemaker:{verb}{job}" for verb in ("Describe", "Stop")), *more],
                    jobs,
                    reason=f"the pipeline follows and stops {words}",
                    wildcard=wildcard,
                    conditions=_equal({f"aws:ResourceTag/{key}": tags[key] for key in tags}),
                ),
            ]
        return made

    def pass_roles(self, roles: Sequence[pulumi.Input[str]]) -> Statement:
        """Hand the steps' roles to SageMaker, and to nobody else."""
        return statement(
            "PassStepRoles",
            ["iam:PassRole"],
            roles,
            reason="jobs run with the execution role, not with the pipeline's",
            conditions={
                "StringEquals": {"iam:PassedToService": self._context.service("sagemaker")}
            },
        )

    def call(self, sid: str, function_arn: pulumi.Input[str], reason: str) -> Statement:
        """Call a function."""
        return statement(sid, ["lambda:InvokeFunction"], [function_arn], reason=reason)

    def register(self, groups: Sequence[str]) -> list[Statement]:
        """Add versions to the groups. Not `UpdateModelPackage`: nothing here approves itself."""
        return [
            statement(
                "Register",
                ["sagemaker:CreateModelPackage", "sagemaker:AddTags"],
                self._versions(groups),
                reason="the last step registers the version that passed its gates",
                wildcard="the versions of these groups, which are numbered as they come",
            ),
            statement(
                "FollowVersions",
                ["sagemaker:DescribeModelPackage"],
                [self._context.arn("sagemaker", f"model-package/{group}/*") for group in groups],
                reason="the pipeline waits until the version is complete",
                wildcard="the versions of these groups, which are numbered as they come",
            ),
        ]

    def look_up(self, groups: Sequence[str]) -> Statement:
        """Find versions of the groups, and where their artifacts lie."""
        return statement(
            "LookUpVersions",
            ["sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages"],
            self._versions(groups),
            reason="a new version is compared with the one in service, which is found first",
            wildcard="the versions of these groups, which are numbered as they come",
        )

    def _versions(self, groups: Sequence[str]) -> list[pulumi.Output[str]]:
        return [
            self._context.arn("sagemaker", resource)
            for group in groups
            for resource in (f"model-package-group/{group}", f"model-package/{group}/*")
        ]

    def read(
        self, what: str, bucket_arn: pulumi.Input[str], prefixes: Sequence[str], reason: str
    ) -> list[Statement]:
        """Read the objects below prefixes, and list them."""
        return [
            statement(
                f"Read{what}",
                ["s3:GetObject"],
                _below(bucket_arn, prefixes),
                reason=f"reads {reason}",
            ),
            statement(
                f"List{what}",
                ["s3:ListBucket"],
                [bucket_arn],
                reason=f"finds {reason}",
                conditions={"StringLike": {"s3:prefix": [f"{each}*" for each in prefixes]}},
            ),
        ]

    def write(
        self, what: str, bucket_arn: pulumi.Input[str], prefixes: Sequence[str], reason: str
    ) -> Statement:
        """Write objects below prefixes."""
        return _write(what, _below(bucket_arn, prefixes), reason)

    def read_uris(
        self, what: str, uris: Sequence[pulumi.Input[str]], reason: str
    ) -> list[Statement]:
        """Read what lies at `s3://` URIs: an object, or all below a prefix that ends in `/`."""
        if not uris:
            return []
        places = [self._place(uri) for uri in uris]
        buckets, objects = [each for each, _ in places], [each for _, each in places]
        return [
            statement(f"Read{what}", ["s3:GetObject"], objects, reason=f"reads {reason}"),
            statement(f"List{what}", ["s3:ListBucket"], buckets, reason=f"finds {reason}"),
        ]

    def write_uri(self, what: str, uri: pulumi.Input[str], reason: str) -> Statement:
        """Write below an `s3://` URI that ends in `/`."""
        return _write(what, [self._place(uri)[1]], reason)

    def _place(self, uri: pulumi.Input[str]) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        """The ARNs of the bucket and of the objects of an `s3://` URI."""
        at = pulumi.Output.from_input(uri).apply(_split)
        bucket = pulumi.Output.concat(
            "arn:", self._context.partition, ":s3:::", at.apply(lambda parts: parts[0])
        )
        return bucket, pulumi.Output.concat(bucket, "/", at.apply(lambda parts: parts[1]))

    def decrypt(self, reason: str) -> list[Statement]:
        """Read objects that are encrypted; nothing to grant without a customer key."""
        return self._through_s3("Decrypt", ["kms:Decrypt"], reason)

    def encrypt(self, reason: str) -> list[Statement]:
        """Read and write objects under the key."""
        return self._through_s3("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], reason)

    def use_key(self, reason: str) -> list[Statement]:
        """Read and write objects under the key, and let SageMaker attach volumes under it."""
        if self._key_arn is None:
            return []
        return [
            *self.encrypt(reason),
            statement(
                "LookAtKey",
                ["kms:DescribeKey"],
                [self._key_arn],
                reason="SageMaker looks at the key of volumes in the role's name",
            ),
            statement(
                "GrantKey",
                ["kms:CreateGrant"],
                [self._key_arn],
                reason="volumes of jobs and endpoints are attached under the key by AWS itself",
                conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
            ),
        ]

    def _through_s3(self, sid: str, actions: Sequence[str], reason: str) -> list[Statement]:
        """Use of the key by way of objects alone: S3 asks for the data keys, in the role's name."""
        if self._key_arn is None:
            return []
        via = _equal({"kms:ViaService": self._context.endpoint("s3")})
        return [statement(sid, actions, [self._key_arn], reason=reason, conditions=via)]

    def pull(self, images: Sequence[str]) -> list[Statement]:
        """Pull images from ECR repositories, each `<account>/<repository>`."""
        if not images:
            return []
        repositories = []
        for image in dict.fromkeys(images):
            account, _, repository = image.partition("/")
            repositories.append(
                self._context.arn("ecr", f"repository/{repository}", account=account)
            )
        return [
            statement(
                "PullImages",
                [
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                ],
                repositories,
                reason="containers start from these images and no others",
            ),
            statement(
                "RegistryToken",
                ["ecr:GetAuthorizationToken"],
                ["*"],
                reason="a pull begins with a token",
                wildcard="the action knows no resource",
            ),
        ]

    def log(self, groups: Sequence[str]) -> Statement:
        """Write logs below `/aws/sagemaker/`."""
        return statement(
            "WriteLogs",
            [
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:DescribeLogStreams",
                "logs:PutLogEvents",
            ],
            [
                self._context.arn("logs", f"log-group:/aws/sagemaker/{group}{part}")
                for group in groups
                for part in ("", ":log-stream:*")
            ],
            reason="what the containers print",
            wildcard="SageMaker names streams when it starts what writes them",
        )

    def measure(self, namespaces: Sequence[str]) -> Statement:
        """Put metrics into SageMaker's own namespaces."""
        return statement(
            "PutMetrics",
            ["cloudwatch:PutMetricData"],
            ["*"],
            reason="metrics of jobs and endpoints",
            wildcard="the action knows no resource; the namespace is the limit",
            conditions={"StringEquals": {"cloudwatch:namespace": list(namespaces)}},
        )

    def track(self, server_arn: pulumi.Input[str]) -> Statement:
        """Put runs into an MLflow server: what `runtime.tracking` asks of it, and nothing to look at others.

        Source: AWS service authorization reference, Amazon SageMaker with MLflow.
        """
        return statement(
            "Track",
            [
                f"sagemaker-mlflow:{each}"
                for each in (
                    "CreateExperiment",
                    "CreateRun",
                    "GetExperiment",
                    "GetExperimentByName",
                    "GetRun",
                    "LogBatch",
                    "UpdateRun",
                )
            ],
            [server_arn],
            reason="trainings and evaluations keep parameters and metrics in MLflow",
        )

    def watch_alarms(self, names: Sequence[str]) -> list[Statement]:
        """Look at the alarms that roll a rollout back; without it guarded updates fail."""
        if not names:
            return []
        return [
            statement(
                "WatchRollbackAlarms",
                ["cloudwatch:DescribeAlarms"],
                [self._context.arn("cloudwatch", f"alarm:{name}") for name in names],
                reason="a guarded rollout is rolled back when one of these alarms goes off",
            )
        ]

    def attach_network(
        self, subnets: Sequence[pulumi.Input[str]], groups: Sequence[pulumi.Input[str]]
    ) -> list[Statement]:
        """Network interfaces in these subnets, with these security groups, and nowhere else."""
        described = ["DhcpOptions", "NetworkInterfaces", "SecurityGroups", "Subnets", "Vpcs"]
        places = [self._ec2("subnet/", each) for each in subnets]
        named = [*places, *(self._ec2("security-group/", each) for each in groups)]
        interfaces = self._context.arn("ec2", "network-interface/*")
        return [
            statement(
                "DescribeNetwork",
                [f"ec2:Describe{each}" for each in described],
                ["*"],
                reason="jobs and containers find their network",
                wildcard="the actions know no resource",
            ),
            statement(
                "AttachNetwork",
                ["ec2:CreateNetworkInterface"],
                [interfaces, *named],
                reason="jobs and containers get interfaces in the subnets they are given",
                wildcard="EC2 names an interface when it makes it; subnets and groups are named",
            ),
            statement(
                "UseInterfaces",
                [
                    "ec2:CreateNetworkInterfacePermission",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DeleteNetworkInterfacePermission",
                ],
                [interfaces],
                reason="SageMaker takes these interfaces over, and removes them at the end",
                wildcard="interfaces are named by EC2 as they come and go; their subnet limits them",
                conditions={"ArnEquals": {"ec2:Subnet": places}},
            ),
        ]

    def _ec2(self, kind: str, id_: pulumi.Input[str]) -> pulumi.Output[str]:
        return self._context.arn("ec2", pulumi.Output.concat(kind, id_))


def _equal(values: Mapping[str, pulumi.Input[str]]) -> dict[str, dict[str, pulumi.Input[str]]]:
    return {"StringEquals": dict(values)}


def _write(what: str, objects: Sequence[pulumi.Input[str]], reason: str) -> Statement:
    actions = ["s3:PutObject", "s3:AbortMultipartUpload"]
    return statement(f"Write{what}", actions, objects, reason=reason)


def _below(bucket_arn: pulumi.Input[str], prefixes: Sequence[str]) -> list[pulumi.Output[str]]:
    return [pulumi.Output.concat(bucket_arn, f"/{prefix}*") for prefix in prefixes]


def _split(uri: str) -> tuple[str, str]:
    """Bucket and object pattern of an `s3://` URI. Raises ValueError for anything else."""
    if not uri.startswith("s3://"):
        raise ValueError(f"{uri!r} is not an s3:// URI")
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, f"{key}*" if not key or key.endswith("/") else key
