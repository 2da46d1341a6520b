"""`policies.yaml`: what it sets, and every way to get it wrong, with the place and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.errors import UsageError
from mlops_iac.policy.config import Configuration, load
from mlops_iac.policy.rules import rules

KNOWN = {rule.id: rule for rule in rules()}


def read(tmp_path: Path, text: str, unread: tuple[str, ...] = ()):
    path = tmp_path / "policies.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, "policies.yaml", rules(), ["dev", "prod"], unread=unread)


def test_without_a_file_everything_is_as_the_rules_say(tmp_path: Path) -> None:
    found, problems = load(tmp_path / "policies.yaml", "policies.yaml", rules(), ["prod"])
    assert (found, problems) == (Configuration(), [])
    rule = KNOWN["log-retention"]
    assert found.enabled(rule)
    assert (found.severity(rule), found.parameters(rule)) == ("advisory", {"least_days": 30})


def test_a_whole_file(tmp_path: Path) -> None:
    found, problems = read(
        tmp_path,
        """
        policies: 1
        production: [prod]
        rules:
          allowed-regions: {regions: [eu-*, us-east-1]}
          log-retention: {least_days: 7, severity: mandatory}
          log-encryption: {enabled: false}
          owner-tag: {severity: advisory, reason: accounts have owners}
          bucket-encryption: {customer_key: true}
        """,
    )
    assert problems == []
    assert found.production == ("prod",)
    assert found.parameters(KNOWN["allowed-regions"]) == {"regions": ("eu-*", "us-east-1")}
    assert found.parameters(KNOWN["log-retention"]) == {"least_days": 7}
    assert found.severity(KNOWN["log-retention"]) == "mandatory"
    assert not found.enabled(KNOWN["log-encryption"])
    assert found.severity(KNOWN["owner-tag"]) == "advisory"
    assert found.parameters(KNOWN["bucket-encryption"]) == {"customer_key": True}


# What is wrong → text with § before the place, code, part of the message, part of the hint.
WRONG = {
    "a misspelt key": ("policies: 1\n§rule: {}", "unknown-key", "'rule' is not a key", "'rules'"),
    "no version": ("§rules: {}", "missing", "needs 'policies'", "policies: 1"),
    "another version": ("policies: §2", "unknown-value", "policies: 2", "write 1"),
    "a misspelt rule": (
        "policies: 1\nrules:\n  §log-retenton: {}",
        "unknown-rule",
        "there is no rule 'log-retenton'",
        "did you mean 'log-retention'?",
    ),
    "a misspelt setting": (
        "policies: 1\nrules: {log-retention: {§leastdays: 3}}",
        "unknown-key",
        "'leastdays' is not a setting of log-retention",
        "'least_days'",
    ),
    "a number as text": (
        "policies: 1\nrules: {log-retention: {least_days: §many}}",
        "wrong-type",
        "takes a whole number, at least 1",
        "",
    ),
    "a number that is too small": (
        "policies: 1\nrules: {log-retention: {least_days: §0}}",
        "wrong-type",
        "at least 1",
        "",
    ),
    "one text for a list": (
        "policies: 1\nrules: {allowed-regions: {regions: §eu-west-1}}",
        "wrong-type",
        "takes a list of texts",
        "[eu-west-1]",
    ),
    "a word for a flag": (
        "policies: 1\nrules: {bucket-encryption: {customer_key: §yes}}",
        "wrong-type",
        "takes true or false",
        "",
    ),
    "a severity of another tool": (
        "policies: 1\nrules: {log-retention: {severity: §error}}",
        "unknown-value",
        "'error' is not a severity",
        "mandatory or advisory",
    ),
    "a mandatory rule that is switched off": (
        "policies: 1\nrules: {tls-only: {enabled: §false}}",
        "mandatory-rule",
        "cannot be switched off",
        "exceptions: {tls-only",
    ),
    "a mandatory rule that is weakened in silence": (
        "policies: 1\nrules: {tls-only: {severity: §advisory}}",
        "mandatory-rule",
        "needs a reason",
        "reason",
    ),
    "an environment that is not there": (
        "policies: 1\nproduction: [§prd]",
        "unknown-environment",
        "no environment 'prd'",
        "'prod'",
    ),
    "a rule that is no mapping": (
        "policies: 1\nrules: {tls-only: §off}",
        "wrong-type",
        "takes a mapping",
        "severity",
    ),
    "rules as a list": ("policies: 1\nrules: §[tls-only]", "wrong-type", "a mapping of rules", ""),
    "a list": ("§- policies: 1", "not-a-mapping", "policies.yaml takes a mapping", "policies: 1"),
    "a key written twice": (
        "policies: 1\n§policies: 1",
        "duplicate-key",
        "written twice",
        "remove",
    ),
    "no YAML": ("policies: 1\nrules: §{", "syntax", "not closed", "close"),
}


@pytest.mark.parametrize(("marked", "code", "message", "hint"), WRONG.values(), ids=list(WRONG))
def test_what_is_wrong_is_told(
    tmp_path: Path, marked: str, code: str, message: str, hint: str
) -> None:
    before, _, after = marked.partition("§")
    line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
    _, problems = read(tmp_path, before + after)
    assert [each.code for each in problems] == [code]
    told = problems[0]
    assert (told.file, told.line, told.column) == ("policies.yaml", line, column)
    assert message in told.message
    assert hint in told.hint


def test_rules_of_the_team_that_were_not_loaded_are_not_judged(tmp_path: Path) -> None:
    text = "policies: 1\nrules: {no-fridays: {days: [FRI]}}"
    assert read(tmp_path, text, ("no-fridays",))[1] == []
    assert [each.code for each in read(tmp_path, text)[1]] == ["unknown-rule"]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "policies.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UTF-16"):
        load(tmp_path / "policies.yaml", "policies.yaml", rules(), [])
