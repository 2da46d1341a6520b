"""Versions that a blueprint asks for, and which of a template's versions they mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_iac.templates.versions import (
    VersionInvalid,
    newest,
    none_fits,
    parse_requirement,
    parse_version,
)

FITTING = [
    ("^2.1", "2.1.0 2.1.9 2.9.0", "2.0.9 3.0.0 1.0.0 3.0.0-rc.1 2.2.0-rc.1"),
    ("^2", "2.0.0 2.9.9", "1.9.9 3.0.0"),
    ("^2.1.3", "2.1.3 2.2.0", "2.1.2 3.0.0"),
    ("^0.3", "0.3.0 0.3.9", "0.4.0 0.2.9 1.0.0"),
    ("^0.0.3", "0.0.3", "0.0.4 0.0.2"),
    ("^0.0", "0.0.1 0.0.9", "0.1.0"),
    ("^0", "0.1.0 0.9.0", "1.0.0"),
    ("~2.1", "2.1.0 2.1.7", "2.2.0 2.0.9"),
    ("~2", "2.0.0 2.9.0", "3.0.0"),
    ("~2.1.3", "2.1.3 2.1.9", "2.1.2 2.2.0"),
    ("2.1.0", "2.1.0", "2.1.1 2.0.9"),
    ("*", "0.0.1 99.0.0", "1.0.0-rc.1"),
    ("", "1.0.0", "1.0.0-alpha"),
    ("^2.1.0-rc.1", "2.1.0-rc.1 2.1.0-rc.2 2.1.0 2.4.0", "2.1.0-beta 2.2.0-rc.1 3.0.0-rc.1"),
    ("3.0.0-rc.1", "3.0.0-rc.1", "3.0.0-rc.2 3.0.0"),
]


@pytest.mark.parametrize(("text", "fitting", "others"), FITTING, ids=[row[0] for row in FITTING])
def test_what_fits(text: str, fitting: str, others: str) -> None:
    requirement = parse_requirement(text)
    assert [item for item in fitting.split() if not requirement.fits(item)] == []
    assert [item for item in others.split() if requirement.fits(item)] == []


@pytest.mark.parametrize(
    "text",
    [
        "latest", "main", "^", "^^2", "2.1.0.0", "01.2", "^2.-1", ">=2.1 <3", "^1 || ^2", "2.1-rc",
        "2.1.0-", ",", "^2,", "!=2.1", "<*", ">=2.1,<3", "2", "2.1", "v2.1.0", "=2.1.0", "2.x", "٣.1", "2.1.0+build", "^" + "9" * 200, "2.1.0-rc..1",
        "2..1", "*.1", "2.*.1", "$(id)", "\x1b[31m",
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_words(text: str) -> None:
    with pytest.raises(VersionInvalid) as caught:
        parse_requirement(text)
    assert caught.value.hint
    assert "\x1b" not in caught.value.message
    assert len(caught.value.message) < 200


def test_every_version_of_a_number_has_a_spelling() -> None:
    with pytest.raises(VersionInvalid) as caught:
        parse_requirement("2.1")
    assert caught.value.hint == "write '~2.1' for every 2.1"


@pytest.mark.parametrize("text", ["2.1", "v2.1.0", "2.1.0+build.5", "02.1.0", "", "2.1.0 ", "x"])
def test_no_version(text: str) -> None:
    with pytest.raises(VersionInvalid):
        parse_version(text)


def test_the_newest_is_by_number_and_never_a_pre_release() -> None:
    versions = ["2.9.0", "2.10.0", "2.11.0-rc.1", "3.0.0-alpha", "1.0.0"]
    assert newest(parse_requirement(""), versions) == "2.10.0"
    assert newest(parse_requirement("^1"), versions) == "1.0.0"
    assert newest(parse_requirement("^4"), versions) == ""
    assert newest(parse_requirement("^3.0.0-alpha"), versions) == "3.0.0-alpha"


def test_what_there_is_instead() -> None:
    assert none_fits(parse_requirement("^9"), []) == "it has no version at all"
    assert none_fits(parse_requirement("^9"), ["1.0.0", "1.10.0"]) == "there is: 1.10.0 and 1.0.0"
    assert "only pre-releases" in none_fits(parse_requirement(""), ["1.0.0-rc.1"])


numbers = st.integers(0, 20)
versions = st.tuples(numbers, numbers, numbers)


@given(versions, versions)
def test_caret_keeps_the_first_number_that_counts(low, other) -> None:  # type: ignore[no-untyped-def]
    fits = parse_requirement("^" + ".".join(map(str, low))).fits(".".join(map(str, other)))
    counted = next((i for i, item in enumerate(low) if item), 2)
    assert fits == (other >= low and other[: counted + 1] == low[: counted + 1])


@given(st.text(max_size=30))
def test_any_text_is_a_requirement_or_refused(text: str) -> None:
    try:
        parse_requirement(text)
    except VersionInvalid as error:
        assert error.message.isprintable()
