"""What a case expects, held against what came out."""

from __future__ import annotations

from mlops_iac.api.templates.expectations import errors
from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.errors import Diagnostic
from mlops_iac.templates.cases import read_case


def test_a_pattern_without_an_end_is_told_and_not_tried_forever() -> None:
    text = "expect: {errors: ['(.*.*.*.*.*.*.*.*.*.*)*Z$', one]}\n"
    content = TemplateContent("a", "sha256:a", {"tests/a.yaml": text.encode()})
    said = [Diagnostic("x", f"one {'a' * 60}"), Diagnostic("x", "two")]
    assert list(errors(read_case(content, "a"), said)) == [
        ("expect.errors: '(.*.*.*.*.*.*.*.*.*.*)*Z$' takes too long to tell: write a simpler one"),
        ": two [x]",
    ]
