"""Stack targets over small programs written to a temporary folder."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from mlops_iac.engine.protocol import StackTarget

HEAD = """\
import json
import pulumi
from pulumi_aws import iam, s3, sns, sqs, ssm
O = pulumi.ResourceOptions
"""


def write_program(folder: Path, body: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "Pulumi.yaml").write_text("name: proj\nruntime: python\n")
    (folder / "__main__.py").write_text(HEAD + dedent(body))


def make_target(folder: Path, body: str | None = None, **changes: Any) -> StackTarget:
    if body is not None:
        write_program(folder / "program", body)
    values: dict[str, Any] = {
        "program": folder / "program",
        "project": "proj",
        "stack": "local",
        "config": {"aws:region": "eu-west-1"},
        "work": folder / ".mlops-iac",
        "region": "eu-west-1",
    }
    return StackTarget(**{**values, **changes})
