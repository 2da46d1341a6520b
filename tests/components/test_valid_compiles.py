"""What `validate` accepts, `compile` writes: no value at an edge is refused later, without a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlops_iac.api.compile.checks import problems
from mlops_iac.api.project import Project
from mlops_iac.blueprint import examine
from mlops_iac.blueprint.fields import FieldType, ListType, MapType, ScalarType, fields_of
from mlops_iac.blueprint.sections.base import Section
from mlops_iac.blueprint.words import join
from tests.examples import examples
from tests.sagemaker_blueprints import MAXIMAL, MINIMAL, PRIVATE, write

PROD = "environments: {dev: {}, prod: {account: 210987654321}}\n"
BASES = {"minimal": MINIMAL + PROD, "maximal": MAXIMAL, "private": PRIVATE}
KEY = "arn:aws:kms:eu-west-1:210987654321:key/1234"
TEXTS = [
    *(
        "x",
        "é",
        "it's",
        'a "b"',
        "a: b",
        "-",
        "a\nb",
        "{{x}}",
        "$${x}",
        "%s{0}",
        "\\",
        "#a",
        "true",
    ),
    *("1.20", " a ", "x" * 64, "x" * 256, "alias/x", "s3://b/k", "vpc-1", "${name}", "a/b", "a.b"),
    *("'''", '"""', "\u200b", "\x85", KEY, "arn:aws:iam::210987654321:role/x"),
]
NAMES = ("a", "A_b", "x" * 40, "0", "a-b", "é", "a b", "a.b", "'", "class", "None", "x" * 100)


def edges(kind: FieldType) -> list[Any]:
    """Values near what a field allows, and texts that a program could stumble over."""
    match kind:
        case ScalarType(types=types, allowed=allowed, bounds=bounds):
            if allowed:
                return list(allowed)
            low, high = bounds.ge or 0, bounds.le or 10**9
            numbers = [low, low + 1, high, 2, 7, 60, 100, 512, 3600]
            found: list[Any] = []
            for each in types:
                if each is bool:
                    found += [True, False]
                else:
                    found += TEXTS if each is str else numbers
                if each is float:
                    found += [0.5, 1e-9, 1e300, 0.1 + 0.2]
            return found
        case ListType(item=item):
            inner = edges(item)
            return [[], *[[each] for each in inner], inner[:2], inner[:12]]
        case MapType(value=value):
            inner = edges(value)[:1] or [{}]
            return [{}, *({name: inner[0]} for name in NAMES)]
        case _:
            return [{}]


def inside(value: Any, path: str = "") -> Iterator[tuple[str, FieldType]]:
    match value:
        case Section():
            for item in fields_of(type(value)).values():
                yield join(path, item.key), item.type
                yield from inside(vars(value).get(item.name), join(path, item.key))
        case dict():
            for key, item in value.items():
                yield from inside(item, join(path, key))


def read(path: Path, edits: list[str]) -> Project | None:
    """The project if it is valid."""
    loaded, found = examine(path, command_line=edits)
    if loaded is None:
        return None
    project = Project(loaded)
    found = problems(project, found)
    wrong = any(item.severity == "error" for item in found)
    assert all(item.line for item in found)
    return None if wrong else project


@pytest.fixture(scope="module", params=list(BASES))
def base(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, FieldType]]:
    path = write(tmp_path_factory.mktemp(request.param), BASES[request.param])
    project = read(path, [])
    assert project is not None
    # An override is looked for among the resources: that is `compile`'s to say, at its line.
    left_out = ("environments", "extends", "overrides", "name", "blueprint", "platform")
    fields = dict(inside(project.resolve("prod").blueprint))
    return path, {at: kind for at, kind in fields.items() if at.split(".")[0] not in left_out}


# Places and values as shares of how many there are, so that one draw fits every base.
SHARE = st.floats(0, 1, exclude_max=True)


@given(draws=st.lists(st.tuples(SHARE, SHARE), min_size=4, max_size=12))
@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(draws=[])
def test_what_is_valid_compiles(
    base: tuple[Path, dict[str, FieldType]], draws: list[tuple[float, float]]
) -> None:
    path, fields = base
    places = list(fields)
    kept: list[str] = []
    for where, which in draws:
        at = places[int(where * len(places))]
        values = edges(fields[at])
        edit = f"{at}={json.dumps(values[int(which * len(values))], ensure_ascii=False)}"
        if read(path, [*kept, edit]) is not None:
            kept.append(edit)
    project = read(path, kept)
    assert project is not None
    project.compile(path.parent / "out")


ROLE = "arn:aws:iam::210987654321:role/x"


@pytest.mark.parametrize(
    ("edit", "accepted"),
    [
        (f"existing.roles.evaluate={ROLE}", True),  # there is no such step
        (f"existing.key={KEY}", True),
        ("existing.key=alias/x", False),
        ("owner='$${x}'", False),
        ("models.churn.retrain={new_data: []}", False),
        ("models.churn.retrain={limits: []}", False),
        ("exceptions={a.b: {at: ., reason: x, until: 2027-01-31}}", False),
    ],
)
def test_what_only_compile_knew(tmp_path: Path, edit: str, accepted: bool) -> None:
    path = write(tmp_path, BASES["minimal"])
    project = read(path, [edit])
    assert (project is not None) is accepted
    if project is not None:
        project.compile(tmp_path / "out")
