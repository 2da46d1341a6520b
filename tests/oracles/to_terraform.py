"""A captured graph as Terraform JSON, so that the real AWS provider judges what a stack contains.

Names come from the generated facts. A property that the provider asked does not have is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_iac.emulators.aws.facts import FACTS
from mlops_iac.emulators.common.facts import PropertyFact, TypeFacts
from mlops_iac.graph.model import Resource, ResourceGraph
from mlops_iac.values import Asset, Secret
from tests.oracles.concrete import LABEL, role_names

VERSION = "5.100.0"
_OFFLINE = {
    "region": "eu-west-1",
    "access_key": "testing",
    "secret_key": "testing",
    "skip_credentials_validation": True,
    "skip_metadata_api_check": True,
    "skip_region_validation": True,
    "skip_requesting_account_id": True,
}


# Types that the provider cannot create on moto 5.2.5 → why; they are planned only.
NOT_ON_MOTO = {
    "aws:cloudwatch/compositeAlarm:CompositeAlarm": "moto has no PutCompositeAlarm",
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": "moto has no such policy",
    "aws:budgets/budget:Budget": "the provider reads tags; moto has no ListTagsForResource",
    "aws:s3/bucketLogging:BucketLogging": "moto fails over a policy whose principal is `*`",
    "aws:s3/bucketPolicy:BucketPolicy": "moto takes a conditional denial for an absolute one",
    "aws:appautoscaling/target:Target": "the provider reads tags; moto fails over them",
    "aws:appautoscaling/policy:Policy": "its target",
}


class Untranslated(Exception):
    """Resource types or properties that the provider asked does not have."""


def to_terraform(
    graph: ResourceGraph,
    *,
    references: bool = True,
    endpoint: str = "",
    assets: Path | None = None,
) -> dict[str, Any]:
    """The configuration, as one `main.tf.json`.

    With `references` what a capture prints as `${address.property}` refers to the other resource;
    without, the graph's values must be concrete. `endpoint` is an emulated AWS for every service.
    `assets` is the program's folder, from which relative paths of assets count.
    Raises Untranslated with everything that does not fit.
    """
    writer = _Writer(graph, references, assets)
    resources: dict[str, dict[str, Any]] = {}
    for resource in graph:
        if resource.custom and not resource.type.startswith("pulumi:"):
            facts = FACTS.of(resource.type)
            if facts is None:
                writer.problems.append(f"no facts about {resource.type}")
                continue
            body = writer.resource(resource, facts)
            resources.setdefault(facts.tf_name, {})[label(resource)] = body
    if writer.problems:
        raise Untranslated("\n".join(writer.problems))
    provider: dict[str, Any] = dict(_OFFLINE)
    if endpoint:
        # The provider asks an emulator that lacks an operation 25 times otherwise.
        provider |= {
            "max_retries": 3,
            "s3_use_path_style": True,
            "endpoints": [dict.fromkeys(_SERVICES, endpoint)],
        }
    return {
        "terraform": {
            "required_providers": {"aws": {"source": "hashicorp/aws", "version": VERSION}}
        },
        "provider": {"aws": provider},
        "resource": resources,
    }


# Names of the provider's `endpoints` block for the services of the platform's types.
_SERVICES = (
    "appautoscaling",
    "budgets",
    "cloudtrail",
    "cloudwatch",
    "ec2",
    "events",
    "iam",
    "kms",
    "lambda",
    "logs",
    "s3",
    "sagemaker",
    "scheduler",
    "sns",
    "sqs",
    "sts",
)


def label(resource: Resource) -> str:
    """Terraform's name for the resource."""
    return re.sub(r"[^A-Za-z0-9_]", "_", resource.name)


class _Writer:
    def __init__(self, graph: ResourceGraph, references: bool, assets: Path | None) -> None:
        self._by_address = {resource.address: resource for resource in graph}
        self._by_urn = graph.by_urn()
        self._references, self._assets = references, assets
        self.problems: list[str] = []

    def resource(self, resource: Resource, facts: TypeFacts) -> dict[str, Any]:
        body = self._block(resource, facts, role_names(resource), "")
        for path, fact in facts.properties.items():
            # What Pulumi names by itself the provider wants to be given.
            wanted = fact.required and fact.kind == "string" and "." not in path
            if wanted and path.lower().endswith("name") and path not in resource.inputs:
                body[fact.tf_path] = resource.name
        if self._references:
            after = [self._by_urn[urn] for urn in resource.dependencies if urn in self._by_urn]
            names = [self._tf_address(each) for each in after if each.custom]
            if names:
                body["depends_on"] = names
        return body

    def _block(
        self, resource: Resource, facts: TypeFacts, value: Mapping[str, Any], path: str
    ) -> dict[str, Any]:
        result = {}
        for key, item in value.items():
            here = f"{path}.{key}".lstrip(".")
            fact = facts.properties.get(here)
            if item is None:
                continue
            if fact is None or not fact.tf_path:
                self.problems.append(f"{resource.address}: the provider has no {here}")
                continue
            name = fact.tf_path.rpartition(".")[2]
            if isinstance(item, Asset):
                name, written = self._asset(name, item)
                result[name] = written
            else:
                result[name] = self._value(resource, facts, item, fact)
        return result

    def _value(self, resource: Resource, facts: TypeFacts, value: Any, fact: PropertyFact) -> Any:
        if isinstance(value, Secret):
            return self._value(resource, facts, value.value, fact)
        if fact.kind == "object":
            return self._block(resource, facts, value, fact.path)
        if fact.element == "object":
            return [self._block(resource, facts, item, fact.path) for item in value]
        return self._plain(value)

    def _plain(self, value: Any) -> Any:
        match value:
            case str():
                return self._text(value)
            case Mapping():
                return {key: self._plain(item) for key, item in value.items()}
            case list() | tuple():
                return [self._plain(item) for item in value]
            case _:
                return value

    def _asset(self, name: str, asset: Asset) -> tuple[str, str]:
        if asset.path is not None:
            return name, str(self._assets / asset.path) if self._assets else asset.path
        if name == "source":
            return "content", _escape(asset.text or "")
        self.problems.append(f"{name} is a text asset, which the provider cannot take")
        return name, ""

    def _text(self, text: str) -> str:
        if not self._references:
            return _escape(text)
        parts, last = [], 0
        for match in LABEL.finditer(text):
            parts += [_escape(text[last : match.start()]), self._reference(match[1], match[2])]
            last = match.end()
        return "".join([*parts, _escape(text[last:])])

    def _reference(self, where: str, property_: str) -> str:
        resource = self._by_address.get(where)
        facts = FACTS.of(resource.type) if resource else None
        if resource is None or facts is None:
            self.problems.append(f"{where} is not in the graph")
            return ""
        if property_ == "id":
            return f"${{{self._tf_address(resource)}.id}}"
        fact = facts.properties.get(property_) or facts.outputs.get(property_)
        if fact is None or not fact.tf_path:
            self.problems.append(f"{where}: the provider has no {property_}")
            return ""
        return f"${{{self._tf_address(resource)}.{fact.tf_path}}}"

    @staticmethod
    def _tf_address(resource: Resource) -> str:
        facts = FACTS.of(resource.type)
        return f"{facts.tf_name if facts else resource.type}.{label(resource)}"


def _escape(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")
