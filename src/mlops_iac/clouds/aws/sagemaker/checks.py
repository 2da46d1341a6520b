"""What SageMaker support refuses of one environment, each with its place and what would work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mlops_iac.blueprint.checks.environments import place
from mlops_iac.blueprint.sections.compute import Runtime
from mlops_iac.blueprint.sections.datasets import Dataset
from mlops_iac.blueprint.sections.models import Model
from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.blueprint.torn import judged, torn_more
from mlops_iac.blueprint.words import listed, suggestion
from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.access_checks import check_approvers, check_sealer
from mlops_iac.clouds.aws.sagemaker.apart import check_apart
from mlops_iac.clouds.aws.sagemaker.decisions import holds_planned, is_planned, refusal
from mlops_iac.clouds.aws.sagemaker.definition.printer import placeholders
from mlops_iac.clouds.aws.sagemaker.model_checks import check_models
from mlops_iac.clouds.aws.sagemaker.network_checks import check_network
from mlops_iac.clouds.aws.sagemaker.predict_checks import check_predict
from mlops_iac.clouds.aws.sagemaker.scope import AUDIT, NETWORK, ROLES, STEPS, Scope
from mlops_iac.clouds.aws.sagemaker.serving_checks import (
    UNSUPPORTED,
    check_endpoint,
)
from mlops_iac.errors import Diagnostic

_RENAMEABLE = ("serving", "models", "datasets")
_EXISTING = (
    *("network", "subnets", "security_groups", "key"),
    *(f"roles.{name}" for name in ROLES),
)
# What no default stands for, so that requests can be counted although it is wrong.
_STAND_INS = {
    "region": machines.ANY_REGION,
    "runtime": Runtime(image="x"),
}
# Sections whose texts stand in the definitions of pipelines.
_IN_DEFINITIONS = ("owner", "tags", "models", "datasets", "existing")
_KEY = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+"
_RESERVED_NAMES = {"keys", "data", "datasets", "identity", "alerts", "budget", "promotion"}


def check(scope: Scope) -> list[Diagnostic]:
    """Everything at once; nothing is looked at further below what is refused as a whole."""
    from mlops_iac.clouds.aws.sagemaker.limits import check_limits

    resolved = scope.resolved
    found = list(judged(_fields(scope)))
    refused = {item.path for item in found}
    for checks, stand_ins in ((_alone, None), (_between, None), (check_limits, _STAND_INS)):
        wrong = {item.path for item in found if item.severity == "error"}
        if wrong or resolved.wrong:
            scope = Scope(torn_more(resolved, wrong, stand_ins))
        found += [item for item in checks(scope) if item.path not in refused]
    return list(dict.fromkeys(found))


def _fields(scope: Scope) -> Iterator[Diagnostic]:
    """Each written leaf is planned or refused; what nobody decided about is refused."""
    resolved = scope.resolved
    done: set[str] = set()
    other_modes = {
        name for name, entry in scope.blueprint.serving.items() if not isinstance(entry, RealTime)
    }
    for path, value in resolved.leaves().items():
        if not resolved.is_written(path):
            continue
        found = refusal(path, value)
        if found is not None:
            if resolved.is_default(path):
                continue  # it asks for nothing
            at, rule = found
            # An entry of another mode is refused once, not field by field.
            if at.startswith("serving.") and not at.endswith(".mode"):
                entry = at.split(".")[1]
                if entry in other_modes:
                    continue
            if at not in done:
                done.add(at)
                yield resolved.diagnostic(
                    at, UNSUPPORTED, f"{at}: {rule.reason}", rule.instead, at_key=True
                )
        elif value == {} and holds_planned(path):
            continue
        elif not is_planned(path) and not _of_other_mode(path, other_modes):
            yield resolved.diagnostic(
                path, UNSUPPORTED, f"{path} is not supported on SageMaker yet", "leave it out"
            )


def _of_other_mode(path: str, entries: set[str]) -> bool:
    parts = path.split(".")
    return parts[0] == "serving" and len(parts) > 1 and parts[1] in entries


def _alone(scope: Scope) -> Iterator[Diagnostic]:
    """Values that are wrong whatever else is written."""
    return judged(
        _region(scope),
        _account(scope),
        _deployer(scope),
        _tags(scope),
        _datasets(scope),
        _instances(scope),
        *(_other_stack(scope, name) for name in _EXISTING),
        _key(scope),
        _placeholders(scope),
    )


def _between(scope: Scope) -> Iterator[Diagnostic]:
    """What does not fit together, and what no image, network or role is there for."""
    return judged(
        check_models(scope),
        _endpoints(scope),
        _names(scope),
        check_apart(scope),
        _moves(scope),
        _budget(scope),
        check_network(scope),
        check_predict(scope),
        check_approvers(scope),
        check_sealer(scope),
        _idle_roles(scope),
    )


def _endpoints(scope: Scope) -> Iterator[Diagnostic]:
    for name, entry in scope.endpoints.items():
        yield from check_endpoint(scope, name, entry)


def _budget(scope: Scope) -> Iterator[Diagnostic]:
    region = scope.blueprint.region
    if scope.blueprint.budget is None:
        return
    if catalogue.is_region(region) and not catalogue.has_service("budgets", region):
        yield scope.resolved.diagnostic(
            "budget",
            UNSUPPORTED,
            f"budget: {region} ({place(scope.resolved, 'region')}) is in '{scope.partition}', which"
            " has no AWS Budgets",
            "leave it out; what it costs is billed to the standard account that belongs to this one:"
            " set a budget there",
            at_key=True,
        )
    elif not scope.blueprint.alerts:
        yield scope.resolved.diagnostic(
            "budget",
            UNSUPPORTED,
            "budget: there is nobody to tell when it is spent",
            "write `alerts: {oncall: {email: …}}`",
            at_key=True,
        )


def _other_stack(scope: Scope, name: str) -> Iterator[Diagnostic]:
    value: Any = scope.blueprint.existing
    for key in name.split("."):
        value = getattr(value, key)
    ids = value if isinstance(value, tuple) else (value or "",)
    if any(each.startswith("stack://") for each in ids):
        yield scope.resolved.diagnostic(
            f"existing.{name}",
            UNSUPPORTED,
            f"existing.{name}: outputs of other stacks are not read yet",
            "write the id itself",
        )


def _placeholders(scope: Scope) -> Iterator[Diagnostic]:
    """Texts that would be read as placeholders of a pipeline's definition."""
    for path, value in scope.resolved.leaves().items():
        text = next((each for each in _texts(path, value) if placeholders(each)), None)
        if text is not None and path.partition(".")[0] in _IN_DEFINITIONS:
            yield scope.resolved.diagnostic(
                path,
                UNSUPPORTED,
                f"{path}: '{text}' would be filled in when a pipeline is deployed",
                "write it without `${`",
            )


def _texts(path: str, value: Any) -> Iterator[str]:
    """The key and the texts that stand at a path."""
    for each in (path, *(value if isinstance(value, tuple) else (value,))):
        if isinstance(each, str) and "${" in each:
            yield each


def _key(scope: Scope) -> Iterator[Diagnostic]:
    key = scope.blueprint.existing.key
    # Policies name it, and a policy knows no ids and aliases (IAM user guide, "Resource").
    if key is not None and not re.fullmatch(_KEY, key) and not key.startswith("stack://"):
        yield scope.resolved.diagnostic(
            "existing.key",
            "wrong-key",
            f"existing.key: '{key}' is not the ARN of a KMS key; ids and aliases do not work",
            f"write arn:{scope.partition}:kms:REGION:ACCOUNT:key/ID",
        )


def _idle_roles(scope: Scope) -> Iterator[Diagnostic]:
    for step in STEPS:
        role = getattr(scope.blueprint.existing.roles, step)
        if role is not None and step not in scope.steps:
            path = f"existing.roles.{step}"
            yield scope.resolved.diagnostic(
                path, "no-effect", f"{path}: no model has a step {step}", "remove it", "warning"
            )


def _region(scope: Scope) -> Iterator[Diagnostic]:
    region = scope.blueprint.region
    if not catalogue.is_region(region):
        yield scope.resolved.diagnostic(
            "region",
            "unknown-region",
            f"region: AWS has no region '{region}' with SageMaker",
            suggestion(region, catalogue.REGIONS),
        )


def _account(scope: Scope) -> Iterator[Diagnostic]:
    account = scope.blueprint.account
    if account is not None and not re.fullmatch(r"[0-9]{12}", account):
        yield scope.resolved.diagnostic(
            "account",
            "wrong-account",
            f"account: '{account}' is no AWS account",
            "an account has twelve digits",
        )


def _deployer(scope: Scope) -> Iterator[Diagnostic]:
    role = scope.blueprint.deploy_as
    if role is not None and not re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+", role):
        yield scope.resolved.diagnostic(
            "deploy_as",
            "wrong-role",
            f"deploy_as: '{role}' is no role",
            f"write a role's ARN, arn:{scope.partition}:iam::ACCOUNT:role/NAME",
        )


def _instances(scope: Scope) -> Iterator[Diagnostic]:
    """Instance types of steps and endpoints that there are none of."""
    for name in scope.trained:
        model = scope.blueprint.models[name]
        yield from judged(*(_of_step(scope, name, model, step) for step in STEPS))
    for name, entry in scope.endpoints.items():
        yield from judged(_of_endpoint(scope, name, entry))


def _of_step(scope: Scope, name: str, model: Model, step: str) -> Iterator[Diagnostic]:
    if (section := getattr(model, step)) is not None:
        at = f"models.{name}.{step}.compute"
        yield from machines.check_instance(scope.resolved, at, section.compute, step)


def _of_endpoint(scope: Scope, name: str, entry: RealTime) -> Iterator[Diagnostic]:
    at = f"serving.{name}.compute"
    yield from machines.check_instance(scope.resolved, at, entry.compute, "endpoint")


def _tags(scope: Scope) -> Iterator[Diagnostic]:
    blueprint, resolved = scope.blueprint, scope.resolved
    for key in blueprint.tags:
        if key.lower().startswith("aws:") or key in ("project", "environment", "stack", "owner"):
            path = f"tags.{key}"
            yield resolved.diagnostic(
                path, "wrong-tag", f"{path}: the tag '{key}' is not yours to set", "rename it"
            )


def _datasets(scope: Scope) -> Iterator[Diagnostic]:
    for name, section in scope.blueprint.datasets.items():
        yield from judged(_dataset(scope, f"datasets.{name}.source", section))


def _dataset(scope: Scope, path: str, section: Dataset) -> Iterator[Diagnostic]:
    source = section.source or ""
    if "://" in source and not source.startswith("s3://"):
        yield scope.resolved.diagnostic(
            path,
            UNSUPPORTED,
            f"{path}: SageMaker reads from S3 only, not from '{source}'",
            "copy it to `s3://…`, or write a path beside the blueprint",
        )


def _moves(scope: Scope) -> Iterator[Diagnostic]:
    """Entries of other sections have no former name in the program: they would be made anew."""
    for new in scope.blueprint.moved:
        if new.partition(".")[0] not in _RENAMEABLE:
            path = f'moved."{new}"'
            yield scope.resolved.diagnostic(
                path,
                UNSUPPORTED,
                f"{path}: on SageMaker only {listed(_RENAMEABLE, 'and')} can be renamed yet",
                "keep the old name",
                at_key=True,
            )


def _conditional_names(scope: Scope) -> Iterator[str]:
    """Names of components that only some blueprints have, in all of their environments."""
    siblings = scope.resolved.siblings.values()
    if any(Scope(each).places for each in siblings):
        yield NETWORK
    if scope.audit_log is not None:
        yield AUDIT


def _names(scope: Scope) -> Iterator[Diagnostic]:
    """Entries whose variables or outputs in the program would be the same."""
    reserved = {*_RESERVED_NAMES, *_conditional_names(scope)}
    taken: dict[str, str] = dict.fromkeys(reserved, "the stack itself")
    paths = [f"models.{name}" for name in scope.blueprint.models]
    paths += [f"serving.{name}" for name in scope.endpoints]
    for path in paths:
        section, _, name = path.partition(".")
        stem = name.replace("-", "_")
        made = (
            [f"{stem}_registry", f"{stem}_pipeline", f"{stem}_retrain"]
            if section == "models"
            else [stem, f"{stem}_monitor"]
        )
        for variable in made:
            if variable in taken:
                yield scope.resolved.diagnostic(
                    path,
                    "name-taken",
                    f"{path}: its name in the program, {variable}, is taken by {taken[variable]}",
                    "take another name",
                    at_key=True,
                )
            taken.setdefault(variable, path)
