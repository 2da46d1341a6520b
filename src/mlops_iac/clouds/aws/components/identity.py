"""One role per plane: who starts jobs, who runs them, who serves. Each as little as it can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from ._context import Context, physical
from ._iam import Statement, policy_document, trust
from ._identity_statements import TRACKED_PREFIX, Grants, JobKind
from ._naming import ENDPOINT_LIMIT, PACKAGE_GROUP_LIMIT
from .data_store import CODE_PREFIX, MODELS_PREFIX, WORK_PREFIX

_SEALED = "models and reports are copied to where no step writes, before they are registered"


@dataclass(frozen=True)
class IdentityArgs:
    """What the roles may reach; nothing else is reachable.

    `models` are the blueprint's models that are trained here, `steps` the steps of their
    pipelines, `jobs` what these start and `job_tags` tags that all of these jobs carry.
    `endpoints` are the names of what is served, as `RealTimeEndpoint` takes them, `captures` the
    prefixes below which they keep calls.
    `images`: ECR repositories as `<account>/<repository>`. `source_uris`: data sets used in place
    (`s3://bucket/prefix`), `model_uris`: models and artifacts from elsewhere. `rollback_alarms`:
    literal names of the alarms that guard rollouts. `seal_function_arn`: the function that a
    pipeline calls to seal what it registers. `tracking_server_arn`: the MLflow server that steps put
    runs into. `existing_roles` maps `pipeline`, `serve` or
    a step to the ARN of a role that is used as it is. `private_network`: jobs and containers run
    in these `subnets`, with these `security_groups`.
    """

    data_bucket_arn: pulumi.Input[str]
    artifacts_bucket_arn: pulumi.Input[str]
    captures_bucket_arn: pulumi.Input[str] | None = None
    key_arn: pulumi.Input[str] | None = None
    models: Sequence[str] = ()
    steps: Sequence[str] = ("prepare", "train", "evaluate")
    jobs: Sequence[JobKind] = ("Processing", "Training")
    job_tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    endpoints: Sequence[str] = ()
    captures: Sequence[str] = ()
    images: Sequence[str] = ()
    source_uris: Sequence[pulumi.Input[str]] = ()
    model_uris: Sequence[pulumi.Input[str]] = ()
    rollback_alarms: Sequence[str] = ()
    seal_function_arn: pulumi.Input[str] | None = None
    tracking_server_arn: pulumi.Input[str] | None = None
    existing_roles: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    private_network: bool = False
    subnets: Sequence[pulumi.Input[str]] = ()
    security_groups: Sequence[pulumi.Input[str]] = ()
    permissions_boundary: pulumi.Input[str] | None = None
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Identity(pulumi.ComponentResource):
    """Role ARNs, ready for use: each waits for its policy as well as for its role.

    `pipeline_role_arn` starts the jobs and reads the gate's report; `execution_role_arn` runs the
    steps (`step_role_arns` by step, where some are existing ones); `endpoint_role_arn` runs the
    serving containers. One that nothing needs does not exist: reading it raises ValueError.
    `statements` lists by logical role name
    what was granted, with the reasons.
    """

    step_role_arns: dict[str, pulumi.Output[str]]
    statements: dict[str, tuple[Statement, ...]]

    def __init__(
        self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:aws:Identity", name, None, opts)
        unknown = sorted(set(args.existing_roles) - {"pipeline", "serve", *args.steps})
        if unknown:
            raise ValueError(f"{name}: no step or plane is called {', '.join(unknown)}")
        if args.private_network and not (args.subnets and args.security_groups):
            raise ValueError(f"{name}: a private network takes its subnets and security groups")
        self._args = args
        self._context = Context(self)
        self._grants = Grants(self._context, args.key_arn)
        self.statements = {}
        self._pipeline: pulumi.Output[str] | None = None
        self._execution: pulumi.Output[str] | None = None
        self._endpoint: pulumi.Output[str] | None = None
        self.step_role_arns = {}
        if args.models:
            self._train(name)
        if args.endpoints:
            self._endpoint = self._existing("serve") or self._role(
                f"{name}-endpoint", "Runs the serving containers", self._endpoint_statements()
            )
        self.register_outputs(
            {
                "pipelineRoleArn": self._pipeline,
                "executionRoleArn": self._execution,
                "endpointRoleArn": self._endpoint,
            }
        )

    @property
    def pipeline_role_arn(self) -> pulumi.Output[str]:
        return _made(self._pipeline, "no model is trained here, so there is no pipeline role")

    @property
    def execution_role_arn(self) -> pulumi.Output[str]:
        return _made(self._execution, "no step needs a role of the stack's own")

    @property
    def endpoint_role_arn(self) -> pulumi.Output[str]:
        return _made(self._endpoint, "nothing is served here, so there is no endpoint role")

    def _train(self, name: str) -> None:
        given = {step: self._existing(step) for step in self._args.steps}
        if not all(given.values()):
            self._execution = self._role(
                f"{name}-execution", "Runs the steps of pipelines", self._execution_statements()
            )
        for step, arn in given.items():
            role = arn or self._execution
            if role is not None:
                self.step_role_arns[step] = role
        passed = [*filter(None, given.values())]
        if self._execution is not None:
            passed.insert(0, self._execution)
        self._pipeline = self._existing("pipeline") or self._role(
            f"{name}-pipeline", "Starts the jobs of pipelines", self._pipeline_statements(passed)
        )

    def _existing(self, plane: str) -> pulumi.Output[str] | None:
        arn = self._args.existing_roles.get(plane)
        return None if arn is None else pulumi.Output.from_input(arn)

    def _role(
        self, name: str, description: str, statements: Sequence[Statement]
    ) -> pulumi.Output[str]:
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            name,
            description=description,
            assume_role_policy=trust(self._context, "sagemaker"),
            permissions_boundary=self._args.permissions_boundary,
            tags=self._args.tags,
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy", role=role.name, policy=policy_document(*statements), opts=child
        )
        self.statements[name] = tuple(statements)
        # Who uses the ARN needs the permissions too, not only the role.
        return pulumi.Output.all(role.arn, policy.id).apply(lambda known: str(known[0]))

    def _pipeline_statements(self, passed: Sequence[pulumi.Output[str]]) -> list[Statement]:
        args = self._args
        groups = [physical(model, PACKAGE_GROUP_LIMIT) for model in args.models]
        function = args.seal_function_arn
        return [
            *self._grants.start_jobs(args.jobs, args.job_tags),
            self._grants.pass_roles(passed),
            *([] if function is None else [self._grants.call("Seal", function, _SEALED)]),
            *self._grants.register(groups),
            *self._grants.read(
                "Reports",
                args.artifacts_bucket_arn,
                [WORK_PREFIX, MODELS_PREFIX],
                "the gate's report, and what is registered",
            ),
            *self._grants.decrypt("the gate's report is encrypted"),
        ]

    def _execution_statements(self) -> list[Statement]:
        args, grants = self._args, self._grants
        # Trainings of a tuning are trainings.
        kinds = {"Training" if each == "Tuning" else each for each in args.jobs}
        logged = [f"{each}Jobs" for each in sorted(kinds)]
        return [
            *grants.read("Data", args.data_bucket_arn, ["datasets/"], "datasets"),
            *grants.read(
                "Artifacts",
                args.artifacts_bucket_arn,
                [CODE_PREFIX, WORK_PREFIX, MODELS_PREFIX],
                "code, models and what earlier steps left",
            ),
            # Not the code: what a step runs today must not change what runs tomorrow. Not the
            # models: what runs after an approval is what was approved.
            grants.write(
                "Artifacts",
                args.artifacts_bucket_arn,
                [WORK_PREFIX],
                "steps leave models, reports and checkpoints",
            ),
            *self._tracking(),
            *grants.read_uris("Sources", args.source_uris, "datasets that are used in place"),
            *grants.read_uris("Models", args.model_uris, "models to compare with or to start from"),
            *grants.use_key("step inputs, outputs and volumes are encrypted"),
            *grants.pull(args.images),
            grants.log(logged),
            grants.measure([f"/aws/sagemaker/{each}" for each in logged]),
            *self._network(),
        ]

    def _tracking(self) -> list[Statement]:
        args, grants = self._args, self._grants
        if args.tracking_server_arn is None:
            return []
        # The client writes artifacts by itself, with the rights of whoever it runs for.
        kept = grants.write(
            "Tracked",
            args.artifacts_bucket_arn,
            [TRACKED_PREFIX],
            "pictures, reports and models are kept with the run in MLflow",
        )
        return [grants.track(args.tracking_server_arn), kept]

    def _endpoint_statements(self) -> list[Statement]:
        args, grants = self._args, self._grants
        captures = []
        if args.captures_bucket_arn is not None and args.captures:
            captures = [
                grants.write(
                    "Captures",
                    args.captures_bucket_arn,
                    [f"{each}/" for each in args.captures],
                    "requests and answers are captured; without it captures stay empty silently",
                )
            ]
        return [
            *grants.read(
                "Artifacts", args.artifacts_bucket_arn, [MODELS_PREFIX], "models to serve"
            ),
            *grants.read_uris("Models", args.model_uris, "models from elsewhere"),
            *captures,
            *grants.use_key("models, captures and volumes are encrypted"),
            *grants.pull(args.images),
            grants.log([f"Endpoints/{physical(each, ENDPOINT_LIMIT)}" for each in args.endpoints]),
            grants.measure(["AWS/SageMaker", "/aws/sagemaker/Endpoints"]),
            *grants.watch_alarms(args.rollback_alarms),
            *self._network(),
        ]

    def _network(self) -> list[Statement]:
        args = self._args
        if not args.private_network:
            return []
        return self._grants.attach_network(args.subnets, args.security_groups)


def _made(role: pulumi.Output[str] | None, otherwise: str) -> pulumi.Output[str]:
    if role is None:
        raise ValueError(otherwise)
    return role
