"""Findings in every form; SARIF against the official schema (OASIS SARIF 2.1.0, errata 01)."""

from __future__ import annotations

import json
import os
from pathlib import Path

import jsonschema
import pytest

from mlops_iac.policy import output
from mlops_iac.policy.model import Finding
from mlops_iac.policy.rules import rules
from tools.guard_rail_reference import reference

ORACLES = Path(os.environ.get("MLOPS_IAC_ORACLES", Path(__file__).parents[3] / "../shared/oracles"))
SCHEMA = ORACLES / "sarif-2.1.0.schema.json"
LET_BY = "exceptions.log-retention until 2027-01-31: a pilot"
BROKEN = Finding(
    "tls-only", "mandatory", "the bucket takes unencrypted connections", "s3.Bucket/data", "urn:x",
    "deny it", "AWS S3.5, https://docs.aws.amazon.com/x", "datasets", "blueprint.yaml", 15, 3, 4,
    "datasets:",
)  # fmt: skip
ADVICE = Finding("cost-tag", "advisory", "nothing has the tag 'cost-centre'", path="tags")
PASSED = Finding(
    "log-retention", "advisory", "for ever", "cloudwatch.LogGroup/log",
    suppressed_by=LET_BY,
)  # fmt: skip
STACKS = {"dev": [BROKEN], "prod": [BROKEN, ADVICE, PASSED]}


@pytest.fixture
def validator() -> jsonschema.Draft4Validator:
    if not SCHEMA.exists():
        pytest.skip(f"no {SCHEMA.name} in MLOPS_IAC_ORACLES (OASIS publishes it)")
    return jsonschema.Draft4Validator(
        json.loads(SCHEMA.read_text()), format_checker=jsonschema.FormatChecker()
    )


def test_what_stacks_share_is_said_once_and_mandatory_first() -> None:
    found = output.together(STACKS)
    assert [(each.finding.rule, each.stacks) for each in found] == [
        ("tls-only", ("dev", "prod")),
        ("cost-tag", ("prod",)),
        ("log-retention", ("prod",)),
    ]
    assert output.counts(found) == {"mandatory": 1, "advisory": 1, "suppressed": 1}


def test_text_shows_the_line_and_what_to_do() -> None:
    assert output.text(output.together(STACKS), of=2).splitlines() == [
        f"blueprint.yaml:15:3: error[tls-only]: s3.Bucket/data: {BROKEN.message}",
        "   15 | datasets:",
        "      |   ^^^^ deny it",
        "warning[cost-tag]: nothing has the tag 'cost-centre' (in prod)",
        f"note[log-retention]: cloudwatch.LogGroup/log: for ever (in prod); let pass by {LET_BY}",
    ]


def test_github_gets_no_suppressed_findings() -> None:
    lines = output.github(output.together(STACKS), of=2).splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error", "::warning"]
    assert "line=15" in lines[0]


def test_sarif_is_what_its_schema_says(validator: jsonschema.Draft4Validator) -> None:
    log = json.loads(output.sarif(output.together(STACKS), rules(), "0.1.0"))
    assert not list(validator.iter_errors(log))


def test_sarif_tells_every_finding_with_its_place() -> None:
    log = json.loads(output.sarif(output.together(STACKS), rules(), "0.1.0"))
    assert log["version"] == "2.1.0"
    run = log["runs"][0]
    described = run["tool"]["driver"]["rules"]
    assert {each["id"] for each in described} >= {rule.id for rule in rules()}
    broken, advice, passed = run["results"]
    assert described[broken["ruleIndex"]]["id"] == broken["ruleId"] == "tls-only"
    assert broken["level"] == "error"
    assert broken["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "blueprint.yaml"},
        "region": {"startLine": 15, "startColumn": 3, "endColumn": 7},
    }
    assert advice["level"] == "warning"
    assert "locations" not in advice
    assert passed["suppressions"][0]["justification"].endswith("a pilot")
    assert "suppressions" not in broken


def test_the_schema_refuses_what_is_no_sarif(validator: jsonschema.Draft4Validator) -> None:
    log = json.loads(output.sarif(output.together(STACKS), rules(), "0.1.0"))
    log["runs"][0]["results"][0]["level"] = "mandatory"
    assert list(validator.iter_errors(log))


def test_sarif_without_findings_is_sarif(validator: jsonschema.Draft4Validator) -> None:
    assert not list(validator.iter_errors(json.loads(output.sarif([], rules(), "0.1.0"))))


def test_the_reference_has_every_rule_and_setting() -> None:
    page = reference(rules())
    for rule in rules():
        assert f"\n### {rule.id}\n" in page
        assert all(f"| `{name}` |" in page for name in rule.parameters)
