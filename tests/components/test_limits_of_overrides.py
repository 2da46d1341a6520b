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


def test_an_unreachable_address_is_left_to_the_program(tmp_path: Path) -> None:
    assert told(tmp_path, "overrides: {s3.Bucket/nothing: {acl: private}}\n") == []
