"""What trains one model: its code, its environments, components, and the pipeline of these.

A version is called by its content, so that what has changed is another version and what ran stays what it was;
one that is not used any more stays in the workspace, for the runs that had it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pulumi
from pulumi_azure_native import machinelearningservices

from ._definitions import fill

_DIGEST = 32  # hex digits of a version
# What tells a sweep and the run what was measured is MLflow's.
_CONDA = """\
channels: [conda-forge]
dependencies:
- python=3.12
- pip
- pip:
  - "{package}"
  - mlflow-skinny
  - azureml-mlflow
"""


@dataclass(frozen=True)
class Environment:
    """What a step runs in: an image, and the framework that is added to it, as pip says it."""

    image: str
    package: str | None = None

    @property
    def conda(self) -> str | None:
        """The conda file; none where the image is whole."""
        return _CONDA.format(package=self.package) if self.package else None

    @property
    def version(self) -> str:
        """That of its content."""
        return sha256(f"{self.image}\n{self.conda or ''}".encode()).hexdigest()[:_DIGEST]


@dataclass(frozen=True)
class TrainingArgs:
    """`definition` is JSON text: `components` by node, the `pipeline` of them, the `job` that runs that.

    Its placeholders are filled with `values`, and here: `workspace_id`, `blobs`, `code_id`, `environment_<step>`
    of `environments`, `cluster_<step>` of the names `clusters`, `component_<node>`, `pipeline_id`. Where one of
    `values` is None, nothing is made yet: a dataset is not there. The archive `code` is uploaded to `code_uri`, as
    `sourcedir.tar.gz`, before its version is made; `account` is the storage account.
    """

    group: pulumi.Input[str]
    workspace: pulumi.Input[str]
    workspace_id: pulumi.Input[str]
    account: pulumi.Input[str]
    model: str
    definition: str
    code: pulumi.FileAsset | pulumi.StringAsset
    environments: Mapping[str, Environment]
    clusters: Mapping[str, str]
    values: Mapping[str, pulumi.Input[str] | None] = field(default_factory=dict)
    description: pulumi.Input[str] | None = None
    tags: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


class Training(pulumi.ComponentResource):
    """`pipeline` is the id of the pipeline's version, `job` the body of a job that runs it, as JSON text.

    `code_uri` is the folder of the code.
    """

    pipeline: pulumi.Output[str] | None = None
    job: pulumi.Output[str] | None = None
    code_uri: pulumi.Output[str]

    def __init__(
        self, name: str, args: TrainingArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops-iac:azure:Training", name, None, opts)
        self._args = args
        after = opts.depends_on if opts else None
        # What ran with a version shows it, also where it is not here any more.
        self._kept = pulumi.ResourceOptions(parent=self, depends_on=after, retain_on_delete=True)
        self.code_uri = pulumi.Output.concat(
            _blobs(args.account), f"/code/{args.model}/{_digest(args.code)}/"
        )
        given = {key: value for key, value in args.values.items() if value is not None}
        if len(given) == len(args.values):
            self._make(name, given)
        self.register_outputs({"pipeline": self.pipeline})

    def _make(self, name: str, given: Mapping[str, pulumi.Input[str]]) -> None:
        args = self._args
        code = self._code(name)
        environments, versions = self._environments(name)
        values: dict[str, pulumi.Input[str]] = {
            **given,
            "workspace_id": args.workspace_id,
            "blobs": _blobs(args.account),
            "code_id": code.id,
            **{f"environment_{step}": each.id for step, each in environments.items()},
            **{
                f"cluster_{step}": pulumi.Output.concat(args.workspace_id, "/computes/", cluster)
                for step, cluster in args.clusters.items()
            },
        }
        printed: dict[str, Any] = json.loads(args.definition)
        # Ids of versions are known when they are made; that these are others is known before.
        seed = "/".join((_digest(args.code), *versions))
        for node, spec in printed["components"].items():
            made = self._component(f"{name}-{node}", spec, values, seed)
            values[f"component_{node}"] = made.id
        everything = seed + json.dumps([printed["components"], sorted(args.clusters.items())])
        pipeline = self._component(f"{name}-pipeline", printed["pipeline"], values, everything)
        self.pipeline = values["pipeline_id"] = pipeline.id
        self.job = fill(printed["job"], values)

    def _code(self, name: str) -> machinelearningservices.CodeVersion:
        args, digest = self._args, _digest(self._args.code)
        container = machinelearningservices.CodeContainer(
            f"{name}-code",
            resource_group_name=args.group,
            workspace_name=args.workspace,
            name=args.model,
            properties=machinelearningservices.CodeContainerPropertiesArgs(is_archived=False),
            opts=self._kept,
        )
        return machinelearningservices.CodeVersion(
            f"{name}-code-version",
            resource_group_name=args.group,
            workspace_name=args.workspace,
            name=container.name,
            version=digest,
            properties=machinelearningservices.CodeVersionPropertiesArgs(
                code_uri=self.code_uri, is_anonymous=False, is_archived=False
            ),
            opts=self._kept,
        )

    def _environments(
        self, name: str
    ) -> tuple[dict[str, machinelearningservices.EnvironmentVersion], list[str]]:
        """By step, those that are alike once; and their versions."""
        args = self._args
        made: dict[str, machinelearningservices.EnvironmentVersion] = {}
        by_step = {}
        for step, each in args.environments.items():
            if each.version not in made:
                made[each.version] = machinelearningservices.EnvironmentVersion(
                    f"{name}-environment-{step}",
                    resource_group_name=args.group,
                    workspace_name=args.workspace,
                    name=args.model,
                    version=each.version,
                    properties=(
                        machinelearningservices.EnvironmentVersionPropertiesArgs(
                            image=each.image,
                            conda_file=each.conda,
                            os_type="Linux",
                            # What is pinned is not built anew because its base is.
                            auto_rebuild="Disabled",
                            is_anonymous=False,
                            is_archived=False,
                        )
                    ),
                    opts=self._kept,
                )
            by_step[step] = made[each.version]
        return by_step, list(made)

    def _component(
        self, name: str, spec: Mapping[str, Any], values: Mapping[str, pulumi.Input[str]], seed: str
    ) -> machinelearningservices.ComponentVersion:
        args = self._args
        version = sha256(f"{seed}\n{json.dumps(spec)}".encode()).hexdigest()[:_DIGEST]
        return machinelearningservices.ComponentVersion(
            name,
            resource_group_name=args.group,
            workspace_name=args.workspace,
            name=spec["name"],
            version=version,
            properties=machinelearningservices.ComponentVersionPropertiesArgs(
                component_spec=fill({**spec, "version": version}, values).apply(json.loads),
                description=args.description,
                tags=args.tags,
                is_anonymous=False,
                is_archived=False,
            ),
            opts=self._kept,
        )


def _blobs(account: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.concat("https://", account, ".blob.core.windows.net/artifacts")


def _digest(asset: pulumi.FileAsset | pulumi.StringAsset) -> str:
    if isinstance(asset, pulumi.FileAsset):
        return sha256(Path(asset.path).read_bytes()).hexdigest()[:_DIGEST]
    return sha256(asset.text.encode()).hexdigest()[:_DIGEST]
