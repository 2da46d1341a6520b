"""The organisation's standard over a service: every lock of it is tried to be undone, in every way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from mlops_iac.api.compile.checks import refused
from mlops_iac.api.project import Project
from mlops_iac.blueprint import LoadedBlueprint, inspect
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.finder import Finder
from mlops_iac.templates.sources.builtin import builtin_folder
from tests.sagemaker_blueprints import PREDICT

SERVICE = """\
blueprint: 1
name: late
owner: ann@acme.example
tags: {cost-centre: 4711}
platform: sagemaker
region: eu-west-1
extends:
  - {template: realtime, version: ^1.0.0}
  - template: organisation-standard
    version: ^1.0.0
    parameters: {permissions_boundary: "arn:aws:iam::210987654321:policy/boundary"}
datasets: {deliveries: {source: data/deliveries.csv, format: csv, target: late}}
models: {predictor: {train: {compute: {spot: true}, spot_wait_minutes: 60}}}
serving:
  api:
    rollout: {limits: {error_rate_percent: {at_most: 1}}}
    monitor: {limits: {error_rate_percent: {at_most: 1}}}
alerts: {owner: {email: ann@acme.example}}
budget: {monthly_usd: 300}
environments:
  prod: {account: 210987654321}
"""
NAME = "organisation-standard@1.0.0"
APPROVED = "a person answers for what serves"
AGREED = "larger machines are agreed with the platform team"
MOVED = "sizes can be moved to newer machines and instance types cannot"
SIZES = "allows one of 'small', 'medium' or 'large'"
# Limit, path that breaks it, value, how the error goes on before and after the template's line.
BROKEN = [
    ("owner", "owner", '""', "owner is required by", "somebody answers for every service"),
    ('"tags.${parameters.cost_tag}"', "tags.cost-centre", '""', "tags.cost-centre is required by", "bills are split by it"),
    ("region", "region", "us-east-1", "region is 'us-east-1';", "allows one of 'eu-west-1' or 'eu-central-1': data stays where its owners agreed to"),
    ("environments.*.security.network", "security.network", "public", "environments.prod.security.network is fixed to 'private' by", "endpoints are called from our networks"),
    ("environments.*.security.egress", "security.egress", "all", "environments.prod.security.egress is fixed to 'none' by", "what sees data must not be able to send it anywhere"),
    ("environments.*.security.keys", "security.keys", "provider", "environments.prod.security.keys is fixed to 'customer' by", "access to data ends when its key does"),
    ("environments.prod.protect", "protect", "false", "environments.prod.protect is fixed to true by", "what holds data is not deleted by mistake"),
    ("options.sagemaker.permissions_boundary", "options.sagemaker.permissions_boundary", '"arn:aws:iam::210987654321:policy/all"', "options.sagemaker.permissions_boundary is fixed to 'arn:aws:iam::210987654321:policy/boundary' by", "no role may be more than its makers"),
    ("existing.roles", "existing.roles.train", '"arn:aws:iam::210987654321:role/all"', "existing.roles is forbidden by", "a role that is there already has whatever boundary it has"),
    ("models.*.registry.approval", "models.predictor.registry.approval", "automatic", "models.predictor.registry.approval is fixed to 'manual' by", APPROVED),
    ("models.*.prepare.compute.size", "models.predictor.prepare.compute.size", "xlarge", "models.predictor.prepare.compute.size is 'xlarge';", f"{SIZES}: {AGREED}"),
    ("models.*.prepare.compute.instance", "models.predictor.prepare.compute.instance", "ml.m5.large", "models.predictor.prepare.compute.instance is forbidden by", MOVED),
    ("models.*.train.compute.size", "models.predictor.train.compute.size", "gpu-small", "models.predictor.train.compute.size is 'gpu-small';", f"{SIZES}: {AGREED}"),
    ("models.*.train.compute.instance", "models.predictor.train.compute.instance", "ml.m5.large", "models.predictor.train.compute.instance is forbidden by", MOVED),
    ("models.*.train.compute.count", "models.predictor.train.compute.count", "5", "models.predictor.train.compute.count is 5;", "allows at most 4: larger clusters are agreed with the platform team"),
    ("models.*.train.timeout_minutes", "models.predictor.train.timeout_minutes", "1441", "models.predictor.train.timeout_minutes is 1441;", "allows at most 1440: a job that hangs costs until it is stopped"),
    ("models.*.train.spot_wait_minutes", "models.predictor.train.spot_wait_minutes", "121", "models.predictor.train.spot_wait_minutes is 121;", "allows at most 120: a training that waits longer for spot capacity holds up its approval"),
    ("models.*.evaluate.compute.size", "models.predictor.evaluate.compute.size", "xlarge", "models.predictor.evaluate.compute.size is 'xlarge';", f"{SIZES}: {AGREED}"),
    ("models.*.evaluate.compute.instance", "models.predictor.evaluate.compute.instance", "ml.m5.large", "models.predictor.evaluate.compute.instance is forbidden by", MOVED),
    ("serving.*.compute.size", "serving.api.compute.size", "xlarge", "serving.api.compute.size is 'xlarge';", f"{SIZES}: {AGREED}"),
    ("serving.*.compute.instance", "serving.api.compute.instance", "ml.m5.large", "serving.api.compute.instance is forbidden by", MOVED),
    ("serving.*.scaling.max", "serving.api.scaling.max", "11", "serving.api.scaling.max is 11;", "allows at most 10: the quota is shared"),
    ("environments.*.serving.*.monitor.limits", "serving.api.monitor", "null", "environments.prod.serving.api.monitor.limits is required by", "nobody may have to find out from customers"),
    ("environments.*.serving.*.rollout.limits", "serving.api.rollout", "null", "environments.prod.serving.api.rollout.limits is required by", "a bad version is taken back without waiting for a person"),
    ("environments.*.alerts", "alerts", "null", "environments.prod.alerts is required by", "somebody has to hear of alarms"),
    ("environments.*.budget.monthly_usd", "budget.monthly_usd", "5001", "environments.prod.budget.monthly_usd is 5001;", "allows at most 5000, required: costs have a limit"),
    ("environments.*.overrides", "overrides", "{budgets.Budget/budget-monthly: {limitAmount: 9}}", "environments.prod.overrides is forbidden by", "what is agreed here must not be undone behind it"),
]  # fmt: skip


def line_of(limit: str) -> int:
    """Where the standard writes a limit."""
    text = (builtin_folder() / "organisation-standard" / "template.yaml").read_text("utf-8")
    lines = text.splitlines()
    [found] = [number for number, line in enumerate(lines, 1) if line.startswith(f"  {limit}:")
               and number > lines.index("limits:")]  # fmt: skip
    return found


def read(
    folder: Path, text: str = SERVICE, command_line: Sequence[str] = ()
) -> tuple[LoadedBlueprint | None, list[Diagnostic]]:
    for name in ("data/deliveries.csv", "workload/prepare.py", "workload/train.py", "workload/evaluate.py"):  # fmt: skip
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("a,late\n1,0\n" if name.endswith("csv") else "")
    (folder / "workload/predict.py").write_text(PREDICT)
    path = folder / "blueprint.yaml"
    path.write_text(text, encoding="utf-8")
    finder = Finder(path, offline=True)
    return inspect(path, templates=finder, command_line=command_line, shown="blueprint.yaml")


def overlaid(path: str, value: str) -> str:
    """The service with one more line in the overlay of prod."""
    keys = path.split(".")
    inner = value
    for key in reversed(keys[1:]):
        inner = f"{{{key}: {inner}}}"
    return SERVICE.replace(
        "  prod: {account: 210987654321}\n",
        f"  prod:\n    account: 210987654321\n    {keys[0]}: {inner}\n",
    )


def expected(limit: str, before: str, after: str, places: str = "") -> str:
    source = f"{NAME} (template.yaml:{line_of(limit)})"
    separator = " " if before.endswith(";") else ": "
    return f"{before} {source}{separator}{after}{places}"


def locked(found: Sequence[Diagnostic]) -> list[str]:
    return [item.message for item in found if item.code == "locked"]


def test_a_service_that_keeps_to_it_is_valid_and_its_locks_are_filled_in(tmp_path: Path) -> None:
    loaded, found = read(tmp_path)
    assert [item for item in found if item.severity == "error"] == []
    assert loaded is not None
    # The order of the layers, lowest first.
    assert [each.label for each in loaded.templates] == ["realtime@1.0.0", NAME]
    prod, local = loaded.resolve("prod"), loaded.resolve("local")
    assert prod.blueprint.security.network == "private"
    assert prod.origin("security.network").layer == f"fixed by {NAME}"
    assert prod.origin("serving.api.scaling.max").layer == "template realtime@1.0.0"
    assert prod.origin("budget.monthly_usd").layer == "blueprint"
    assert local.blueprint.security.network == "public"
    project = Project(loaded)
    assert [item for name in project.environments for item in refused(project, name)
            if item.severity == "error"] == []  # fmt: skip


def test_every_limit_is_tried() -> None:
    """A limit without a row here is one nobody has seen hold."""
    from mlops_iac.blueprint.compose import compose
    from mlops_iac.blueprint.source import Source

    text = (builtin_folder() / "organisation-standard" / "template.yaml").read_text("utf-8")
    written = compose(Source("template.yaml", text))[0].entries["limits"].value.entries
    assert {row[0].strip('"') for row in BROKEN} | {"environments"} == set(written)


def test_what_holds_in_prod_is_not_evaded_by_another_name(tmp_path: Path) -> None:
    text = SERVICE.replace("  prod: {", "  production: {protect: false, ")
    loaded, found = read(tmp_path, text)
    assert loaded is None
    names = "environments has 'production';"
    only = "allows only 'dev', 'staging' and 'prod': what holds in prod goes by its name"
    assert locked(found) == [expected("environments", names, only)]
    told = text.replace("parameters: {", "parameters: {environments: [dev, production], ")
    assert read(tmp_path, told)[0] is not None


@pytest.mark.parametrize(
    ("limit", "path", "value", "before", "after"), BROKEN, ids=[row[0] for row in BROKEN]
)
def test_an_overlay_does_not_undo_it(
    limit: str, path: str, value: str, before: str, after: str, tmp_path: Path
) -> None:
    text = overlaid(path, value)
    loaded, found = read(tmp_path, text)
    assert loaded is None
    general = not limit.startswith("environments.")
    [item] = [one for one in found if one.code == "locked"]
    assert item.message == expected(limit, before, after, " (in prod)" if general else "")
    if value != "null":  # what is not there has no line
        own = text.splitlines().index("    account: 210987654321") + 2
        assert (item.file, item.line) == ("blueprint.yaml", own)


@pytest.mark.parametrize(
    ("limit", "path", "value", "before", "after"), BROKEN, ids=[row[0] for row in BROKEN]
)
def test_the_command_line_does_not_undo_it(
    limit: str, path: str, value: str, before: str, after: str, tmp_path: Path
) -> None:
    loaded, found = read(tmp_path, command_line=(f"{path}={value}",))
    assert loaded is None
    assert expected(limit, before, after) in locked(found), locked(found)


@pytest.mark.parametrize(
    ("address", "properties"),
    [
        ("appautoscaling.Target/api-main-scaling", "{maxCapacity: 50}"),
        ("sagemaker.EndpointConfiguration/api-configuration", "{kmsKeyArn: null}"),
        ("budgets.Budget/budget-monthly", '{limitAmount: "99999"}'),
    ],
)
def test_no_property_of_a_cloud_environment_is_patched_past_it(
    address: str, properties: str, tmp_path: Path
) -> None:
    for text in (
        f"{SERVICE}overrides: {{{address}: {properties}}}\n",
        overlaid("overrides", f"{{{address}: {properties}}}"),
    ):
        loaded, found = read(tmp_path, text)
        assert loaded is None
        assert locked(found) == [
            expected(
                "environments.*.overrides",
                "environments.prod.overrides is forbidden by",
                "what is agreed here must not be undone behind it",
            )
        ]


# Address → a property's patch, and what would be undone with it.
PATCHED = {
    "appautoscaling.Target/api-main-scaling": ("{maxCapacity: 50}",
        ("serving.*.scaling.max", "maxCapacity would undo serving.api.scaling.max, which", "limits to at most 10: the quota is shared")),
    "sagemaker.EndpointConfiguration/api-configuration": ("{productionVariants: []}",
        ("serving.*.compute.size", "productionVariants would undo serving.api.compute.size, which", f"limits to {SIZES.removeprefix('allows ')}: {AGREED}")),
    "sagemaker.Pipeline/predictor-training-pipeline": ('{pipelineDefinition: "{}"}',
        ("models.*.registry.approval", "pipelineDefinition would undo models.predictor.registry.approval, which", f"fixes to 'manual': {APPROVED}")),
}  # fmt: skip


def test_no_property_in_local_is_patched_past_what_holds_there(tmp_path: Path) -> None:
    patches = ", ".join(f"{address}: {properties}" for address, (properties, _) in PATCHED.items())
    loaded, found = read(tmp_path, SERVICE + f"  local: {{overrides: {{{patches}}}}}\n")
    assert loaded is not None, found
    expected = {
        f"overrides.{_key(address)}.{before} {NAME} (template.yaml:{line_of(limit)}) {after}"
        for address, (_, (limit, before, after)) in PATCHED.items()
    }
    assert expected <= set(locked(refused(Project(loaded), "local")))


def _key(address: str) -> str:
    return f'"{address}"' if "." in address else address


def test_parameters_move_what_is_allowed(tmp_path: Path) -> None:
    given = "{regions: [us-east-1], sizes: [xlarge], most_instances: 40, cost_tag: team, network: public}"
    text = SERVICE.replace(
        '{permissions_boundary: "arn:aws:iam::210987654321:policy/boundary"}', given
    )
    text = text.replace("cost-centre", "team").replace("eu-west-1", "us-east-1")
    text = text.replace("compute: {spot: true}", "compute: {spot: true, size: xlarge}")
    text = text.replace("  api:\n", "  api:\n    compute: {size: xlarge}\n    scaling: {max: 40}\n")
    text = text.replace(
        "{train:",
        "{prepare: {compute: {size: xlarge}}, evaluate: {compute: {size: xlarge}}, train:",
    )
    loaded, found = read(tmp_path, text)
    assert locked(found) == []
    assert loaded is not None, found
    assert loaded.resolve("prod").blueprint.security.network == "public"
    assert loaded.resolve("prod").blueprint.options.sagemaker.permissions_boundary is None
