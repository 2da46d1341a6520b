"""The entities and associations that SageMaker makes of jobs, versions and endpoints by itself.

Sources: SageMaker developer guide, "Amazon SageMaker AI-Created Tracking Entities"; types of entities
and the directions of associations as the SageMaker SDK walks them (`sagemaker.lineage`); names as it
composes them (`visualizer.py`) or users show them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from hashlib import md5
from typing import Any, NamedTuple

import jmespath
from moto.sagemaker.utils import arn_formatter

from mlops_iac.emulators.aws.executions.jobs import PROCESSING, TRAINING, TRANSFORM, Shown
from mlops_iac.emulators.aws.executions.records import epoch
from mlops_iac.emulators.aws.serving.models import CannotServe, containers

# Where what jobs read lies in their descriptions, and what they leave, by the types of artifacts.
_READ = {
    TRAINING: {
        "DataSet": "InputDataConfig[].DataSource.S3DataSource.S3Uri",
        "Image": "[AlgorithmSpecification.TrainingImage]",
    },
    PROCESSING: {
        "DataSet": "ProcessingInputs[].S3Input.S3Uri",
        "Image": "[AppSpecification.ImageUri]",
    },
    TRANSFORM: {"DataSet": "[TransformInput.DataSource.S3DataSource.S3Uri]"},
}
_LEFT = {
    TRAINING: {
        "Model": "[ModelArtifacts.S3ModelArtifacts]",
        "Checkpoint": "[CheckpointConfig.S3Uri]",
    },
    PROCESSING: {"DataSet": "ProcessingOutputConfig.Outputs[].S3Output.S3Uri"},
    TRANSFORM: {"DataSet": "[TransformOutput.S3OutputPath]"},
}
_APPROVAL = "ModelApprovalStatus"


class Entity(NamedTuple):
    """A vertex: `lineage` is Artifact, Action, Context or TrialComponent, `type` what it is of."""

    arn: str
    lineage: str
    type: str
    source: str
    at: datetime
    name: str = ""
    properties: Mapping[str, str] = {}


class Association(NamedTuple):
    """An edge."""

    source: str
    destination: str
    type: str
    at: datetime


class Graph:
    """The lineage of an account in a region, as `backend`, moto's SageMaker, has it now."""

    def __init__(self, backend: Any) -> None:
        self.entities: dict[str, Entity] = {}
        self.associations: list[Association] = []
        self.jobs: dict[str, Shown] = {}
        self._backend = backend
        jobs = [each for kind in _READ for each in getattr(backend, kind.jobs).values()]
        # In their order: what an artifact is of, is what it was first met as.
        for job in sorted(jobs, key=lambda each: each.response_object["CreationTime"]):
            self._add_job(job)
        for version in list(backend.model_packages.values()):
            self._add_version(version)
        for endpoint in list(backend.endpoints.values()):
            if endpoint.current is not None:
                self._add_endpoint(endpoint)

    def named(self, lineage: str, name: str) -> Entity | None:
        """The entity of a name or an ARN."""
        for each in self.entities.values():
            if each.lineage == lineage and name in (each.name, each.arn):
                return each
        return None

    def around(
        self, starts: list[str], direction: str, depth: int
    ) -> tuple[list[Entity], list[Association]]:
        """What is at most `depth` associations away, and these; `direction` as QueryLineage has it."""
        found, edges, seen = [], [], set(starts)
        border = list(starts)
        for _ in range(depth):
            ahead = []
            for edge in self.associations:
                for here, there, way in (
                    (edge.source, edge.destination, "Ascendants"),
                    (edge.destination, edge.source, "Descendants"),
                ):
                    if here in border and direction != way:
                        edges.append(edge)
                        if there not in seen:
                            seen.add(there)
                            ahead.append(there)
            found += [self.entities[each] for each in ahead]
            border = ahead
        return found, list(dict.fromkeys(edges))

    def _add(self, entity: Entity) -> str:
        """Its ARN; an artifact of a source is there once."""
        self.entities.setdefault(entity.arn, entity)
        return entity.arn

    def _arn(self, kind: str, name: str) -> str:
        place = self._backend.account_id, self._backend.region_name
        return str(arn_formatter(kind, name, *place))

    def _artifact(self, type_: str, source: str, at: datetime) -> str:
        digest = md5(source.encode(), usedforsecurity=False).hexdigest()
        return self._add(Entity(self._arn("artifact", digest), "Artifact", type_, source, at))

    def _action(
        self, type_: str, source: str, at: datetime, name: str, properties: Mapping[str, str]
    ) -> str:
        arn = self._arn("action", name)
        return self._add(Entity(arn, "Action", type_, source, at, name, properties))

    def _context(self, type_: str, source: str, at: datetime, name: str) -> str:
        return self._add(Entity(self._arn("context", name), "Context", type_, source, at, name))

    def _link(self, source: str, destination: str, type_: str, at: datetime) -> None:
        self.associations.append(Association(source, destination, type_, at))

    def _add_job(self, job: Shown) -> None:
        said, kind = job.response_object, job.kind
        began = said["CreationTime"]
        name = f"{job.name}-aws-{kind.arn}"
        arn = self._arn("experiment-trial-component", name)
        self._add(Entity(arn, "TrialComponent", kind.noun, job.arn, began, name))
        self.jobs[arn] = job
        for type_, source in _found(_READ[kind], said):
            self._link(self._artifact(type_, source, began), arn, "ContributedTo", began)
        if said[f"{kind.noun}Status"] == "Completed":
            ended = said[kind.ended]
            for type_, source in _found(_LEFT[kind], said):
                self._link(arn, self._artifact(type_, source, ended), "Produced", ended)

    def _add_version(self, version: Any) -> None:
        """Its artifact, what it was made of, its group and its approval."""
        at, changed = version.creation_time, version.last_modified_time or version.creation_time
        package = self._artifact("ModelPackage", version.arn, at)
        for container in (version.inference_specification or {}).get("Containers", ()):
            for type_, source in _contained(container):
                self._link(self._artifact(type_, source, at), package, "ContributedTo", at)
        if (group := version.model_package_group_name) is None:
            return
        source = self._backend.model_package_groups[group].arn
        context = self._context("ModelGroup", source, at, f"{group}-aws-model-group")
        self._link(package, context, "AssociatedWith", at)
        status = version.model_approval_status
        if status:
            words = (group, version.model_package_version, status, int(epoch(changed)))
            name = f"{'-'.join(map(str, words))}-aws-model-package"
            action = self._action("Approval", version.arn, changed, name, {_APPROVAL: status})
            self._link(action, package, "ContributedTo", changed)

    def _add_endpoint(self, endpoint: Any) -> None:
        """The deployment that serves now, and what it serves."""
        at = endpoint.current.began
        name = f"{endpoint.endpoint_name}-{int(epoch(at))}-aws-endpoint"
        action = self._action("ModelDeployment", endpoint.arn, at, name, {})
        context = self._context(
            "Endpoint",
            endpoint.arn,
            endpoint.creation_time,
            f"{endpoint.endpoint_name}-aws-endpoint",
        )
        self._link(action, context, "AssociatedWith", at)
        for variant in (*endpoint.current.variants, *endpoint.current.shadows):
            with suppress(CannotServe):  # its version was deleted since
                for container in containers(self._backend, variant.model):
                    for type_, source in _contained(container):
                        self._link(self._artifact(type_, source, at), action, "ContributedTo", at)


def _found(paths: Mapping[str, str], said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for type_, path in paths.items():
        yield from ((type_, each) for each in jmespath.search(path, said) or () if each)


def _contained(container: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What a container of a version or of a model is made of."""
    paths = {
        "Model": "[ModelDataUrl, ModelDataSource.S3DataSource.S3Uri]",
        "Image": "[Image]",
        "ModelPackage": "[ModelPackageName]",
    }
    return _found(paths, container)
