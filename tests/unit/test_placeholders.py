"""Which texts stand where somebody has still to write one, and which only look a little like it."""

from __future__ import annotations

import pytest

from mlops_iac.blueprint.placeholders import is_placeholder, placeholder_in


@pytest.mark.parametrize(
    "text",
    [
        "you@example.com", "https://example.org/hook", "mail.example.net", "TODO", "todo: ask", "TBD",
        "XXX", "<team>", "s3://<bucket>/data", "change-me", "REPLACE_ME", "your-team", "YOUR_ACCOUNT",
        "123456789012", "arn:aws:iam::111122223333:role/x", "000000000000", "placeholder",
    ],
)  # fmt: skip
def test_a_placeholder(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    [
        "oncall@acme.example", "ml@myexample.com", "example.company", "todo-app", "changeling",
        "yourself", "012345678901", "210987654321", "1234567890123", "xx", "a < b", "",
    ],
)  # fmt: skip
def test_a_value(text: str) -> None:
    assert not is_placeholder(text)


def test_one_value_beside_a_placeholder_is_one() -> None:
    assert placeholder_in(("you@example.com", "TODO")) == "you@example.com"
    assert placeholder_in({"a": {"email": "you@example.com"}, "b": {"email": "x@acme.com"}}) is None
    assert placeholder_in({"a": 1}) is None
    assert placeholder_in(()) is None
