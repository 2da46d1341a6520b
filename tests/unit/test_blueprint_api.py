"""What the package promises: its names, what it imports, what reading costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mlops_iac.blueprint as package
from mlops_iac.blueprint import combine
from mlops_iac.errors import Diagnostic


def test_every_public_name_is_there() -> None:
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        package.nonsense  # noqa: B018


PROBE = """
import sys
from mlops_iac.blueprint import validate
assert validate(sys.argv[1]) == []
print(sorted(name for name in sys.modules if name.split(".")[0] in
    ("pulumi", "pydantic", "boto3", "botocore", "jinja2", "rich", "networkx", "jsonschema", "click", "difflib")))
"""


def test_reading_imports_no_sdk_and_no_pydantic(tmp_path: Path) -> None:
    path = tmp_path / "blueprint.yaml"
    path.write_text(
        "blueprint: 1\nname: n\nplatform: sagemaker\nregion: r\nbudget: {monthly_usd: 1}\n"
    )
    made = subprocess.run(
        [sys.executable, "-c", PROBE, str(path)], capture_output=True, text=True, check=True
    )
    assert made.stdout.split("\n") == ["[]", ""]


def item(code: str, line: int) -> Diagnostic:
    return Diagnostic(code, code, "b.yaml", line, 1)


def test_what_all_environments_have_is_said_once_and_what_some_have_names_them() -> None:
    found = combine(
        {
            "local": [item("all", 9), item("two", 3)],
            "dev": [item("all", 9), item("two", 3)],
            "prod": [item("one", 1), item("all", 9)],
        }
    )
    assert [entry.message for entry in found] == ["one (in prod)", "two (in local and dev)", "all"]
    assert combine({}) == []
