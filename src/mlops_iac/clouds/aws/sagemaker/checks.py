"""What SageMaker support refuses of one environment, each with its place and what would work."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mlops_iac.blueprint.sections.serving import RealTime
from mlops_iac.blueprint.words import listed, suggestion
from mlops_iac.clouds.aws import catalogue
from mlops_iac.clouds.aws.components._cron import schedule_expression
from mlops_iac.clouds.aws.sagemaker import machines
from mlops_iac.clouds.aws.sagemaker.access_checks import check_approvers, check_sealer
from mlops_iac.clouds.aws.sagemaker.apart import check_apart
from mlops_iac.clouds.aws.sagemaker.decisions import holds_planned, is_planned, refusal
from mlops_iac.clouds.aws.sagemaker.network_checks import check_network
from mlops_iac.clouds.aws.sagemaker.predict_checks import check_predict
from mlops_iac.clouds.aws.sagemaker.scope import AUDIT, NETWORK, Scope
from mlops_iac.clouds.aws.sagemaker.serving_checks import (
    SERVICE_LIMITS,
    UNSUPPORTED,
    check_endpoint,
)
from mlops_iac.errors import Diagnostic
from mlops_iac.pipeline.refusals import refusals

_RENAMEABLE = ("serving", "models", "datasets")
_RESERVED_NAMES = {"keys", "data", "datasets", "identity", "alerts", "budget", "promotion"}


def check(scope: Scope) -> list[Diagnostic]:
    """Everything at once; nothing is looked at further below what is refused as a whole."""
    found = list(_fields(scope))
    refused = {item.path for item in found}
    found += [item for item in _values(scope) if item.path not in refused]
    if not any(item.severity == "error" for item in found):
        # Only what can be planned has requests.
        from mlops_iac.clouds.aws.sagemaker.limits import check_limits

        found += check_limits(scope)
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


def _values(scope: Scope) -> Iterator[Diagnostic]:
    yield from _place(scope)
    yield from _tags(scope)
    yield from _datasets(scope)
    for name in scope.blueprint.models:
        yield from _model(scope, name)
    for name, entry in scope.endpoints.items():
        yield from check_endpoint(scope, name, entry)
    yield from _names(scope)
    yield from check_apart(scope)
    yield from _moves(scope)
    blueprint, resolved = scope.blueprint, scope.resolved
    if blueprint.budget is not None and not blueprint.alerts:
        yield resolved.diagnostic(
            "budget",
            UNSUPPORTED,
            "budget: there is nobody to tell when it is spent",
            "write `alerts: {oncall: {email: …}}`",
            at_key=True,
        )
    yield from check_network(scope)
    yield from check_predict(scope)
    yield from check_approvers(scope)
    yield from check_sealer(scope)
    existing = blueprint.existing
    for name in ("network", "key", *(f"roles.{role}" for role in machines.PLANES)):
        value = (
            getattr(existing.roles, name[6:]) if name[:6] == "roles." else getattr(existing, name)
        )
        if value is not None and value.startswith("stack://"):
            yield resolved.diagnostic(
                f"existing.{name}",
                UNSUPPORTED,
                f"existing.{name}: outputs of other stacks are not read yet",
                "write the id itself",
            )


def _place(scope: Scope) -> Iterator[Diagnostic]:
    blueprint, resolved = scope.blueprint, scope.resolved
    if not catalogue.is_region(blueprint.region):
        yield resolved.diagnostic(
            "region",
            "unknown-region",
            f"region: AWS has no region '{blueprint.region}' with SageMaker",
            suggestion(blueprint.region, catalogue.REGIONS),
        )
    if blueprint.account is not None and not re.fullmatch(r"\d{12}", blueprint.account):
        yield resolved.diagnostic(
            "account",
            "wrong-account",
            f"account: '{blueprint.account}' is no AWS account",
            "an account has twelve digits",
        )
    if blueprint.deploy_as is not None and not re.fullmatch(
        r"arn:aws[a-z-]*:iam::\d{12}:role/.+", blueprint.deploy_as
    ):
        yield resolved.diagnostic(
            "deploy_as",
            "wrong-role",
            f"deploy_as: '{blueprint.deploy_as}' is no role",
            f"write a role's ARN, arn:{scope.partition}:iam::ACCOUNT:role/NAME",
        )


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
        source = section.source or ""
        path = f"datasets.{name}.source"
        if "://" in source and not source.startswith("s3://"):
            yield scope.resolved.diagnostic(
                path,
                UNSUPPORTED,
                f"{path}: SageMaker reads from S3 only, not from '{source}'",
                "copy it to `s3://…`, or write a path beside the blueprint",
            )


def _model(scope: Scope, name: str) -> Iterator[Diagnostic]:
    resolved = scope.resolved
    model = scope.blueprint.models[name]
    path = f"models.{name}"
    if model.source is not None and not model.source.startswith("s3://"):
        yield resolved.diagnostic(
            f"{path}.source",
            UNSUPPORTED,
            f"{path}.source: only models in S3 can be served, not '{model.source}'",
            "copy it to `s3://…`, a prefix or a .tar.gz",
        )
    yield from machines.check_images(scope, name)
    # A ModelPackageVersion is an integer from 1. Source: SageMaker API reference, ModelPackage.
    if model.version is not None and not re.fullmatch("[1-9][0-9]{0,8}", model.version):
        yield resolved.diagnostic(
            f"{path}.version",
            "wrong-version",
            f"{path}.version: '{model.version}' is no registered version; they are numbered from 1",
            "see `mlops-iac models ls`, or use `mlops-iac promote`",
        )
    if scope.promotes(name):
        home = scope.home(name)
        other = resolved.siblings[home.environment]
        if name not in Scope(other).trained:
            yield resolved.diagnostic(
                f"{path}.promote_from",
                UNSUPPORTED,
                f"{path}.promote_from: {name} is not trained at the end of it, in {other.environment}",
                "name the environment that trains it",
            )
            return
        if home.account is None:
            yield resolved.diagnostic(
                f"{path}.promote_from",
                UNSUPPORTED,
                f"{path}.promote_from: nothing says in which account {home.environment} is",
                f"write `environments.{home.environment}.account`",
            )
        if home.region != scope.blueprint.region:
            yield resolved.diagnostic(
                f"{path}.promote_from",
                UNSUPPORTED,
                f"{path}.promote_from: versions of {home.region} cannot be served in "
                f"{scope.blueprint.region}",
                "train and serve in one region",
            )
        return
    if model.train is None:
        return
    for item in refusals(resolved, name):
        yield resolved.diagnostic(item.path, UNSUPPORTED, f"{item.path}: {item.message}", item.hint)
    for step in machines.STEPS:
        section = getattr(model, step)
        if section is not None:
            yield from machines.check_instance(
                resolved, f"{path}.{step}.compute", section.compute, step
            )
    yield from _retrain(scope, name)
    yield from _new_data(scope, name)


def _new_data(scope: Scope, name: str) -> Iterator[Diagnostic]:
    retrain = scope.blueprint.models[name].retrain
    for dataset in retrain.new_data if retrain else ():
        if not scope.blueprint.datasets[dataset].is_local:
            yield scope.resolved.diagnostic(
                f"models.{name}.retrain.new_data",
                "events-elsewhere",
                f"models.{name}.retrain.new_data: the bucket of {dataset} is not changed from "
                "here, and new files are noticed only if it tells EventBridge of them",
                "switch on its EventBridge notifications",
                severity="warning",
            )


def _retrain(scope: Scope, name: str) -> Iterator[Diagnostic]:
    retrain = scope.blueprint.models[name].retrain
    if retrain is None:
        return
    resolved, path = scope.resolved, f"models.{name}.retrain"
    if retrain.schedule is not None:
        try:
            schedule_expression(retrain.schedule)
        except ValueError as error:
            yield resolved.diagnostic(
                f"{path}.schedule", UNSUPPORTED, f"{path}.schedule: {error}", "write another cron"
            )
    for metric in retrain.limits:
        if metric not in SERVICE_LIMITS:
            yield resolved.diagnostic(
                f"{path}.limits",
                UNSUPPORTED,
                f"{path}.limits: {metric} is not measured yet",
                f"{listed(SERVICE_LIMITS, 'or')} of a serving entry's monitor, or a schedule",
            )
        elif not machines.monitored(scope, name, metric):
            yield resolved.diagnostic(
                f"{path}.limits",
                UNSUPPORTED,
                f"{path}.limits: no entry that serves {name} monitors {metric}",
                f"write `monitor: {{limits: {{{metric}: {{at_most: …}}}}}}` there",
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
