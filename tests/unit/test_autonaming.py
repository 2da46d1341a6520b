"""`pulumi:autonaming`, as the embedded engine reads it; the real one does in `tests/oracles`."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_iac.clouds.aws.components import _naming as naming
from mlops_iac.engine.embedded.autonaming import KEY, Autonaming
from mlops_iac.errors import UsageError

ROLE, TARGET = "aws:iam/role:Role", "aws:cloudwatch/eventTarget:EventTarget"


def proposed(said: dict[str, Any], type_: str = ROLE, name: str = "x") -> str | None:
    return Autonaming({KEY: said}).proposed(type_, name, b"seed")


def test_a_stacks_own_configuration() -> None:
    ours = naming.automatic_names("churn", "dev")
    name = proposed(ours, name="identity-pipeline")
    assert name is not None
    assert name.startswith("churn-dev-identity-pipeline-")
    assert len(name) == len("churn-dev-identity-pipeline-") + 7
    assert proposed(ours, TARGET) is None
    assert Autonaming({}).proposed(ROLE, "x", b"seed") is None
    other = Autonaming({KEY: ours}).proposed(ROLE, "identity-pipeline", b"other seed")
    assert other != name


def test_the_narrowest_counts() -> None:
    said = {
        "pattern": "all-${name}",
        "providers": {
            "aws": {"pattern": "aws-${name}", "resources": {ROLE: {"pattern": "role-${name}"}}}
        },
    }
    assert proposed(said) == "role-x"
    assert proposed(said, TARGET) == "aws-x"
    assert proposed(said, "gcp:m/x:X") == "all-x"


@pytest.mark.parametrize(
    "said",
    [
        {"mode": "verbatim"},
        {"mode": "disabled"},
        {"pattern": "${name}-${uuid}"},
        {"pattern": "${project}-${name}"},
        {"pattern": "${name}", "enforce": True},
        {"providers": {"aws": {"resources": {ROLE: {"mode": "verbatim"}}}}},
    ],
)
def test_what_is_not_done_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="pulumi:autonaming"):
        Autonaming({KEY: said})


@pytest.mark.parametrize(
    ("project", "stack", "stem"),
    [("churn", "dev", "churn-dev"), ("p" * 32, "s" * 20, None), ("a" * 28, "prod", None)],
)
def test_what_names_begin_with(project: str, stack: str, stem: str | None) -> None:
    made = naming.stem(project, stack)
    assert len(made) <= 32
    assert made == (stem or made)
    assert naming.physical_name(project, stack, "n" * 60, 63).startswith(f"{made}-")
    assert naming.stem(project, f"{stack}x") != made
