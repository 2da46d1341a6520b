"""The text of a lock file and of definitions, and of stand-ins in it: quick, and as the libraries write it."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_iac.graph.standins import StandIns
from mlops_iac.jsontext import indented
from tests.examples import examples

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(DOCUMENTS, st.sampled_from([1, 2]))
@settings(max_examples=examples(300))
def test_it_is_what_json_writes(value: Any, indent: int) -> None:
    assert indented(value, indent) == json.dumps(value, indent=indent, ensure_ascii=False)


def test_a_longer_stand_in_wins_over_one_inside_it() -> None:
    made = StandIns()
    bucket = made.make("s3.Bucket/b", "bucket")
    arn = made.make("s3.Bucket/b", "arn", f"arn:aws:s3:::{bucket}")
    topic = made.make("sns.Topic/t", "arn", "arn:aws:sns:::{}")
    fixed = made.make("x.Fixed/f", "id", "fixed-name")
    assert made.render(f"{arn}/*") == "${s3.Bucket/b.arn}/*"
    assert made.render(f"s3://{bucket}/{{}}") == "s3://${s3.Bucket/b.bucket}/{}"
    assert made.render([{topic: (arn, bucket)}]) == [
        {"${sns.Topic/t.arn}": ["${s3.Bucket/b.arn}", "${s3.Bucket/b.bucket}"]}
    ]
    assert made.render(f"{topic} {fixed}") == "${sns.Topic/t.arn} ${x.Fixed/f.id}"
    assert made.render(fixed) == "fixed-name"
