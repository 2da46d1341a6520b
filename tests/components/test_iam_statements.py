"""The rules that every policy obeys, however it came about."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from mlops_iac.clouds.aws.components._context import Context
from mlops_iac.clouds.aws.components._definitions import fill, placeholders
from mlops_iac.clouds.aws.components._iam import policy_document, statement, trust
from tests.components.capture import capture

BUCKET = "arn:aws:s3:::b"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reason": " "}, "no reason"),
        ({"sid": "Not-A-Sid"}, "letters and digits"),
        ({"actions": []}, "no action"),
        ({"actions": ["s3:Get*"]}, "wildcard"),
        ({"resources": ["*"]}, "wildcard"),
        ({"resources": [f"{BUCKET}*"]}, "wildcard"),
        ({"resources": ["arn:aws:logs:eu-west-1:1:log-group:*"]}, "wildcard"),
        ({"resources": [f"{BUCKET}/a*"]}, "wildcard"),
    ],
)
def test_a_careless_statement_is_refused(change: dict[str, Any], says: str) -> None:
    given: dict[str, Any] = {
        "sid": "Read",
        "actions": ["s3:GetObject"],
        "resources": [f"{BUCKET}/data/*"],
        "reason": "reads",
    }
    statement(given["sid"], given["actions"], given["resources"], reason=given["reason"])
    given |= change
    with pytest.raises(ValueError, match=says):
        statement(given["sid"], given["actions"], given["resources"], reason=given["reason"])


def test_a_wildcard_that_hides_in_an_output_is_refused_too() -> None:
    def program() -> None:
        hidden = pulumi.Output.from_input("*")
        document = policy_document(statement("A", ["s3:GetObject"], [hidden], reason="reads"))
        pulumi.export("policy", document)

    with pytest.raises(ValueError, match="wildcard"):
        capture(program)


def test_two_statements_of_one_id_are_refused() -> None:
    same = statement("A", ["s3:GetObject"], [f"{BUCKET}/*"], reason="reads")
    with pytest.raises(ValueError, match="unique"):
        policy_document(same, same)


def test_lambda_gets_no_condition_that_it_never_sends() -> None:
    with pytest.raises(ValueError, match="Lambda"):
        capture(lambda: trust(Context(pulumi.ComponentResource("a:b:C", "c")), "lambda"))


def test_placeholders_are_filled_as_json_text() -> None:
    assert placeholders('{"a": "${b}", "c": "$1 ${d_e}"}') == {"b", "d_e"}
    seen: list[str] = []
    capture(lambda: fill('{"a": "${b}"}', {"b": 'say "x"'}).apply(seen.append))
    assert seen == ['{"a": "say \\"x\\""}']
