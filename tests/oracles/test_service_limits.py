"""The generated limits and the checker say of any request what botocore's own model says."""

from __future__ import annotations

import re
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_iac.clouds.aws import service_model
from mlops_iac.emulators.aws.validation import broken
from tests.examples import examples
from tools.service_limits import DOCUMENTED, OPERATIONS

NAMES = [f"{service}.{each}" for service, operations in OPERATIONS.items() for each in operations]
SESSION = botocore.session.get_session()
DEPTH = 8


def model(name: str) -> Any:
    service, _, operation = name.partition(".")
    return SESSION.get_service_model(service).operation_model(operation).input_shape


def values(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of the shape's type, about as often within its limits as out of them."""
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")
    sizes = [size for size in {low, low - 1, high, (high or 0) + 1} if size is not None]
    counts = st.sampled_from([size for size in sizes if 0 <= size <= 60] or [1])
    match shape.type_name:
        case "structure":
            if depth >= DEPTH or not shape.members:
                return st.just({})
            members = st.lists(st.sampled_from(list(shape.members)), max_size=4, unique=True)
            return members.flatmap(
                lambda names: st.fixed_dictionaries(
                    {name: values(shape.members[name], depth + 1) for name in names}
                )
            )
        case "list":
            item = st.deferred(lambda: values(shape.member, depth + 1))
            return st.tuples(item, counts).map(lambda pair: [pair[0]] * pair[1])
        case "map":
            inner = st.deferred(lambda: values(shape.value, depth + 1))
            return st.dictionaries(values(shape.key), inner, max_size=3)
        case "string":
            texts = st.text("aZ0-_. :/é—;", max_size=6)
            long = st.sampled_from([size for size in sizes if 0 <= size <= 4000] or [1])
            found = texts | long.map(lambda size: "x" * size)
            return found | st.sampled_from(shape.enum) if shape.enum else found
        case "integer" | "long":
            return st.sampled_from([size for size in sizes if isinstance(size, int)] or [1])
        case "float" | "double":
            return st.sampled_from([float(size) for size in sizes])
        case "boolean":
            return st.booleans()
        case "timestamp":
            return st.just(0)
        case _:
            return st.just(b"x")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=examples(15), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_the_limits_are_those_of_botocores_model(name: str, data: st.DataObject) -> None:
    value = data.draw(values(model(name)))
    ours = list(broken(service_model.request(name), value))
    theirs = [each for each in broken(model(name), value) if each.rule != "required"]
    documented = [each for each in ours if each not in theirs]
    assert [each for each in ours if each not in documented] == theirs
    assert all(each.allowed in [10] and name.startswith("s3.") for each in documented)
    assert {key: fact["max"] for key, fact in DOCUMENTED.items()} == {"s3.TagSet": 10}


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=examples(15), suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_botocores_validator_refuses_what_is_too_small(name: str, data: st.DataObject) -> None:
    """Of all limits botocore itself enforces the lower ones."""
    value = data.draw(values(model(name)))
    report = ParamValidator().validate(value, model(name))
    refused = [kind for kind, _, _ in report._errors if kind in ("invalid range", "invalid length")]
    found = [
        each
        for each in broken(service_model.request(name), value)
        if each.rule == "min" and not isinstance(_at(value, each.path), dict)
    ]
    assert len(found) == len(refused), (report.generate_report(), found)


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        value = value[part]
    return value


def test_enumerations_and_patterns_are_read_as_they_stand() -> None:
    """Patterns that Python reads as Java does, by its own engine; a member of each enumeration."""
    seen = 0
    for name in NAMES:
        for shape in strings(model(name), set()):
            ours = service_model.Shape(f"{name.partition('.')[0]}.{shape.name}")
            pattern = shape.metadata.get("pattern")
            for text in (*shape.enum[:2], "nonsense?", "abc-1", "s3://a/b", "1", ""):
                said = {each.rule for each in broken(ours, text)} & {"enum", "pattern"}
                if shape.enum:
                    assert bool(said) is (text not in shape.enum), (shape.name, text)
                elif pattern and as_python_reads_it(pattern):
                    assert bool(said) is (re.fullmatch(pattern, text) is None), (shape.name, text)
                    seen += 1
    assert seen > 100


def as_python_reads_it(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def strings(shape: Any, seen: set[str]) -> Any:
    """Every text with an enumeration or a pattern, once."""
    if shape.name in seen:
        return
    seen.add(shape.name)
    if shape.type_name == "string" and (shape.enum or "pattern" in shape.metadata):
        yield shape
    parts = list(shape.members.values()) if shape.type_name == "structure" else []
    parts += [shape.member] if shape.type_name == "list" else []
    parts += [shape.key, shape.value] if shape.type_name == "map" else []
    for part in parts:
        yield from strings(part, seen)
