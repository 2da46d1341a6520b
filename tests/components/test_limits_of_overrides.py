"""What a template fixes or limits is not undone by an override of the resources it becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.api import validate
from tests.template_support import TEAM, workspace

SERVED = TEAM.replace(
    "serving: {api: {mode: real-time}}",
    "serving: {api: {mode: real-time, scaling: {min: 1, max: 4, target: {concurrency: 5}}}}",
).replace("{template: standard}", "{template: ./standard}")
LIMITS = """\
template: 1
name: acme/standard
version: 2.1.0
limits:
  environments.prod.security.keys: {fixed: customer, because: customer data}
  serving.*.scaling.max: {at_most: 10, because: quota}
"""


def told(folder: Path, overrides: str, *, template: str = "", limits: str = LIMITS) -> list[str]:
    (folder / "standard").mkdir()
    (folder / "standard/template.yaml").write_text(limits, encoding="utf-8")
    (folder / "standard/blueprint.yaml").write_text(template or "{}\n", encoding="utf-8")
    found = validate(workspace(folder, SERVED + overrides))
    return [f"{each.line}: {each.message}" for each in found if each.severity == "error"]


@pytest.mark.parametrize("name", ["maxCapacity", "max_capacity"])
def test_a_limited_number_is_not_overridden(tmp_path: Path, name: str) -> None:
    address = "appautoscaling.Target/api-main-scaling"
    assert told(tmp_path, f"overrides: {{{address}: {{{name}: 100}}}}\n") == [
        (
            f'15: overrides."{address}".{name} would undo serving.api.scaling.max, which'
            " acme/standard@2.1.0 (template.yaml:6) limits to at most 10: quota"
        )
    ]


def test_a_fixed_choice_is_not_overridden_where_it_is_fixed(tmp_path: Path) -> None:
    address = "s3.BucketServerSideEncryptionConfiguration/data-artifacts-encryption"
    assert told(tmp_path, f"overrides: {{{address}: {{rules: []}}}}\n") == [
        (
            f'15: overrides."{address}".rules would undo environments.prod.security.keys, which'
            " acme/standard@2.1.0 (template.yaml:5) fixes to 'customer': customer data"
        )
    ]


def test_what_no_limit_decides_may_be_overridden(tmp_path: Path) -> None:
    address = "appautoscaling.Target/api-main-scaling"
    assert told(tmp_path, f"overrides: {{{address}: {{tags: {{a: b}}}}}}\n") == []


def test_the_template_that_limits_may_override(tmp_path: Path) -> None:
    own = "overrides: {appautoscaling.Target/api-main-scaling: {maxCapacity: 9}}\n"
    assert told(tmp_path, "", template=own) == []


TAGGED = "{s3.Bucket/data-artifacts: {tags: {team: a, class: secret}}}"
TAGS = "tags: {keys: [team], because: bills}"


@pytest.mark.parametrize(
    ("own", "limit"),
    [
        (f"overrides: {TAGGED}\n", TAGS),
        (f"environments: {{prod: {{overrides: {TAGGED}}}}}\n", f"environments.prod.{TAGS}"),
    ],
)
def test_the_template_may_override_in_an_environment(tmp_path: Path, own: str, limit: str) -> None:
    assert told(tmp_path, "tags: {team: a}\n", template=own, limits=limits(limit)) == []


def test_part_of_what_a_template_overrides_is_not_removed(tmp_path: Path) -> None:
    """With a part gone it is neither what the template says nor what the field decides."""
    removed = "tags: {team: a}\noverrides: {s3.Bucket/data-artifacts: {tags: {class: null}}}\n"
    (one,) = told(tmp_path, removed, template=f"overrides: {TAGGED}\n", limits=limits(TAGS))
    assert one.startswith('16: overrides."s3.Bucket/data-artifacts".tags would undo tags')


def test_an_unreachable_address_is_left_to_the_program(tmp_path: Path) -> None:
    assert told(tmp_path, "overrides: {s3.Bucket/nothing: {acl: private}}\n") == []


def limits(*lines: str) -> str:
    head = "template: 1\nname: acme/standard\nversion: 2.1.0\nlimits:\n"
    return head + "".join(f"  {line}\n" for line in lines)


CONFIGURATION = "sagemaker.EndpointConfiguration/api-configuration"


@pytest.mark.parametrize(
    "limit",
    [
        "serving.*.compute.instance: {one_of: [ml.m5.large], because: cost}",
        "serving.*.compute.instance: {forbidden: true, because: cost}",
    ],
)
def test_a_field_that_is_not_there_is_not_overridden_either(tmp_path: Path, limit: str) -> None:
    (one,) = told(
        tmp_path,
        f"overrides: {{{CONFIGURATION}: {{productionVariants: []}}}}\n",
        limits=limits(limit),
    )
    assert f'overrides."{CONFIGURATION}".productionVariants would undo' in one
    assert "serving.api.compute.instance" in one


def test_what_a_map_may_hold_is_not_overridden(tmp_path: Path) -> None:
    (one,) = told(
        tmp_path,
        "tags: {team: a}\noverrides: {s3.Bucket/data-artifacts: {tags: {pii: b}}}\n",
        limits=limits("tags: {keys: [team], because: bills}"),
    )
    assert (
        "would undo tags, which acme/standard@2.1.0 (template.yaml:5) limits to only 'team'" in one
    )


@pytest.mark.parametrize("limit", ["one_of: [eu-west-1]", "fixed: eu-west-1"])
def test_no_resource_is_put_into_another_region(tmp_path: Path, limit: str) -> None:
    """Each resource of the AWS provider has a `region` of its own."""
    (one,) = told(
        tmp_path,
        "overrides: {s3.Bucket/data-artifacts: {region: us-east-1, tags: {a: b}}}\n",
        limits=limits(f"region: {{{limit}, because: data stays in Europe}}"),
    )
    assert ('"s3.Bucket/data-artifacts".region would undo region, which acme/standard@2.1.0') in one
    assert one.endswith(": data stays in Europe")


def test_a_list_is_not_overridden(tmp_path: Path) -> None:
    approvers = "security: {access: {approvers: [leads]}}\n"
    (one,) = told(
        tmp_path,
        approvers + "overrides: {sagemaker.ModelPackageGroupPolicy/churn-registry-group-policy: {resourcePolicy: a}}\n",
        limits=limits("security.access.approvers: {fixed: [leads], because: people}"),
    )  # fmt: skip
    assert "would undo security.access.approvers" in one


def test_a_team_does_not_hide_in_an_override_of_the_template(tmp_path: Path) -> None:
    address = "appautoscaling.Target/api-main-scaling"
    own = f"overrides: {{{address}: {{tags: {{a: b}}}}}}\n"
    (one,) = told(
        tmp_path,
        f"tags: {{cost: x}}\noverrides: {{{address}: {{tags: {{cost: y}}}}}}\n",
        template=own,
        limits=limits("tags.cost: {fixed: x, because: bills}"),
    )
    assert f'overrides."{address}".tags would undo tags.cost' in one


def test_an_ephemeral_environment_is_held_to_what_its_base_is(tmp_path: Path) -> None:
    from mlops_iac.api.compile.checks import refused
    from mlops_iac.api.kinds import Ephemeral

    address = "s3.BucketServerSideEncryptionConfiguration/data-artifacts-encryption"
    added = (
        f"{{staging: {{overrides: {{{address}: {{rules: []}}}}}}, prod: {{account: 210987654321}}}}"
    )
    text = SERVED.replace("{dev: {}, prod: {account: 210987654321}}", added)
    (tmp_path / "standard").mkdir()
    rules = LIMITS.replace("environments.prod", "environments.staging")
    (tmp_path / "standard/template.yaml").write_text(rules, encoding="utf-8")
    path = workspace(tmp_path, text)
    project = Ephemeral.declare(path, "pr-1", "staging")
    (one,) = [each for each in refused(project, "pr-1") if each.severity == "error"]
    assert "rules would undo environments.pr-1.security.keys" in one.message
