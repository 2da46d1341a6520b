"""How AWS's own texts look."""

from __future__ import annotations

from mlops_iac.clouds.knowledge import Forms

_ACCOUNT = "210987654321"
_REGION = "eu-west-1"

FORMS = Forms(
    account="123456789012",  # `moto.core.DEFAULT_ACCOUNT_ID`
    example_account=_ACCOUNT,
    example_region=_REGION,
    region=r"[a-z]{2,4}(-[a-z]+)+-\d",
    # AWS account identifiers, and the IAM user guide; and one digit twelve times.
    placeholders=(
        r"(?<!\d)(123456789012|111122223333|444455556666|(?P<digit>\d)(?P=digit){11})(?!\d)"
    ),
    reference=r"arn:[\w-]+:",
    secret_stores=("arn:", "secretsmanager:", "ssm:"),
    credentials={"an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"},
)
