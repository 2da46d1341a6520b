"""Which texts stand where somebody has still to write one, and which only look a little like it."""

from __future__ import annotations

import pytest

from mlops_iac.blueprint.fields import AnyType, FieldType, ListType, MapType, ScalarType
from mlops_iac.blueprint.placeholders import is_nothing, is_placeholder, placeholder_in
from mlops_iac.blueprint.sections.base import Text

ANY_TEXT = ScalarType((str,))


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


@pytest.mark.parametrize(
    "text",
    ["-", "--", "?", "...", "_.", "n/a", "N/A", "na", "None", "(none)", "null", "~nil~", "UNKNOWN", "undefined."],
)  # fmt: skip
def test_a_text_for_nothing(text: str) -> None:
    assert is_nothing(text)
    assert not is_placeholder(text)
    assert placeholder_in(text, ANY_TEXT) == text


@pytest.mark.parametrize(
    "text", ["nan", "nato", "none-of-it", "n", "0", "unknown owner", "nobody", ""]
)
def test_a_text_for_something(text: str) -> None:
    assert not is_nothing(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ScalarType((str,), allowed=("none", "packages")), "none"),
        (ScalarType((str,), marker=Text("cron")), "* * * * *"),
        (ScalarType((str,), marker=Text("column")), "unknown"),
        (ScalarType((bool, int, float, str)), "null"),
    ],
)
def test_where_nothing_is_an_answer(kind: FieldType, text: str) -> None:
    assert placeholder_in(text, kind) is None
    assert placeholder_in({"a": text}, MapType(None, kind)) is None


def test_one_value_beside_a_placeholder_is_one() -> None:
    assert placeholder_in(("you@example.com", "TODO"), AnyType()) == "you@example.com"
    both = {"a": {"email": "you@example.com"}, "b": {"email": "x@acme.com"}}
    assert placeholder_in(both, AnyType()) is None
    assert placeholder_in({"a": 1}, AnyType()) is None
    assert placeholder_in((), AnyType()) is None
    assert placeholder_in(("n/a", "finance"), ListType(ANY_TEXT)) is None
    assert placeholder_in("none", ANY_TEXT, ["none"]) is None
