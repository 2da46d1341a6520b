"""A SageMaker pipeline and its code in S3: the training of one model, or a batch prediction.

The definition is a file that a reviewer reads; what only a deployment knows stands in it as
`${name}` and is filled in here. Code goes under a key that contains its hash, so that a changed
script changes the definition (and a cached step cannot answer for it).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import pulumi
import pulumi_aws as aws

from ._context import Context, physical
from ._definitions import fill, placeholders
from ._events import tell
from ._naming import PIPELINE_LIMIT
from .alerts import Told

# Limits of CreatePipeline (botocore's service model): 1 MiB inline; what is filled in is added to
# the template later, so a template near the limit goes through S3 too.
_INLINE_BYTES = 1024 * 1024 - 64 * 1024
# The name under which the framework containers and the steps look for code.
_CODE_FILE = "sourcedir.tar.gz"


@dataclass(kw_only=True)
class TrainingPipelineArgs:
    """What a training pipeline needs.

    `definition` is the pipeline definition as JSON text with `${name}` placeholders. Of these
    `artifacts_bucket` is filled with `bucket`, `code_uri` with the `s3://` URI that `code` is
    uploaded to, `kms_key_arn` with `key_arn`, `region` with the stack's; `values` fills the rest.
    `subnets` and `security_groups` fill the lists `subnet_ids` and `security_group_ids`.
    A placeholder without a value and a value without a placeholder fail the program.
    `known_as` is the name that the pipeline and its files go by where it is not the component's.
    `role_arn` starts the jobs; it is not the role the steps run with. `told` hears of runs that
    failed or were stopped, whoever started them; `without` says what follows.
    """

    role_arn: pulumi.Input[str]
    bucket: pulumi.Input[str]
    definition: str
    code: pulumi.FileAsset | pulumi.StringAsset
    values: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    key_arn: pulumi.Input[str] | None = None
    subnets: Sequence[pulumi.Input[str]] = ()
    security_groups: Sequence[pulumi.Input[str]] = ()
    description: str | None = None
    parallel_steps: int | None = None
    known_as: str = ""
    told: Told | None = None
    without: str = "no version was registered by it"
    tags: Mapping[str, str] = field(default_factory=dict)


class TrainingPipeline(pulumi.ComponentResource):
    """Uploaded code and the pipeline. What `depends_on` names is there before either is."""

    def __init__(
        self,
        name: str,
        args: TrainingPipelineArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops-iac:aws:TrainingPipeline", name, {}, opts)
        # A component's own dependencies are not those of its children.
        after = opts.depends_on if opts else None
        child = pulumi.ResourceOptions(parent=self, depends_on=after)

        self._args = args
        self._known = known = args.known_as or name
        digest = _hash(args.code)
        code = aws.s3.BucketObjectv2(
            f"{name}-code",
            bucket=args.bucket,
            key=f"code/{known}/{digest[:32]}/{_CODE_FILE}",
            source=args.code,
            source_hash=digest,
            server_side_encryption="aws:kms" if args.key_arn else None,
            kms_key_id=args.key_arn,
            tags=args.tags,
            opts=child,
        )
        own: dict[str, pulumi.Input[str] | None] = {
            "artifacts_bucket": args.bucket,
            "code_uri": pulumi.Output.concat("s3://", code.bucket, "/", code.key),
            "kms_key_arn": args.key_arn,
            "region": Context(self).region,
        }
        lists = {"subnet_ids": args.subnets, "security_group_ids": args.security_groups}
        given = {key: value for key, value in lists.items() if value}
        if unused := {*args.values, *given} - placeholders(args.definition):
            raise ValueError(f"the definition has no placeholder for {', '.join(sorted(unused))}")
        filled = {key: value for key, value in own.items() if value is not None}
        definition = fill(args.definition, {**filled, **args.values}, given)
        inline = len(args.definition.encode()) <= _INLINE_BYTES
        stored = None if inline else self._store(name, args, definition, child)
        pipeline_name = physical(known, PIPELINE_LIMIT)
        self.pipeline = aws.sagemaker.Pipeline(
            f"{name}-pipeline",
            pipeline_name=pipeline_name,
            pipeline_display_name=pipeline_name,
            pipeline_description=args.description,
            role_arn=args.role_arn,
            pipeline_definition=definition if inline else None,
            pipeline_definition_s3_location=stored,
            parallelism_configuration=(
                None
                if args.parallel_steps is None
                else aws.sagemaker.PipelineParallelismConfigurationArgs(
                    max_parallel_execution_steps=args.parallel_steps
                )
            ),
            tags=args.tags,
            opts=child,
        )

        if args.told is not None:
            self._tell(name, pipeline_name, args.told)
        self.pipeline_name = self.pipeline.pipeline_name
        self.pipeline_arn = self.pipeline.arn
        self.register_outputs(
            {"pipeline_name": self.pipeline_name, "pipeline_arn": self.pipeline_arn}
        )

    def _tell(self, name: str, pipeline_name: str, told: Told) -> None:
        tell(
            f"{name}-runs",
            f"{self._known}-runs",
            topic_arn=told.topic_arn,
            queue_arn=told.queue_arn,
            description=f"A run of {pipeline_name} failed or was stopped",
            pattern={
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
                "detail": {
                    "pipelineArn": [self.pipeline.arn],
                    "currentPipelineExecutionStatus": ["Failed", "Stopped"],
                },
            },
            message=f"{pipeline_name}: a run is <status>, and {self._args.without}."
            " Its steps say why: <run>",
            values={
                "status": "$.detail.currentPipelineExecutionStatus",
                "run": "$.detail.pipelineExecutionArn",
            },
            tags=self._args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    @staticmethod
    def _store(
        name: str,
        args: TrainingPipelineArgs,
        definition: pulumi.Output[str],
        opts: pulumi.ResourceOptions,
    ) -> aws.sagemaker.PipelinePipelineDefinitionS3LocationArgs:
        digest = sha256(args.definition.encode()).hexdigest()
        stored = aws.s3.BucketObjectv2(
            f"{name}-definition",
            bucket=args.bucket,
            key=f"code/{args.known_as or name}/{digest[:32]}/definition.json",
            content=definition,
            content_type="application/json",
            server_side_encryption="aws:kms" if args.key_arn else None,
            kms_key_id=args.key_arn,
            tags=args.tags,
            opts=opts,
        )
        return aws.sagemaker.PipelinePipelineDefinitionS3LocationArgs(
            bucket=stored.bucket, object_key=stored.key, version_id=stored.version_id
        )


def _hash(asset: pulumi.FileAsset | pulumi.StringAsset) -> str:
    if isinstance(asset, pulumi.FileAsset):
        return sha256(Path(asset.path).read_bytes()).hexdigest()
    return sha256(asset.text.encode()).hexdigest()
