"""The HTML report: complete, self-contained, and no value is more than text."""

from __future__ import annotations

import base64
import hashlib
import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_iac.graph.model import STACK_TYPE, Resource, ResourceGraph
from mlops_iac.graph.plan import Step
from mlops_iac.graph.svg import to_svg
from mlops_iac.review.html import to_html
from mlops_iac.review.model import Review
from mlops_iac.review.picture import graph_of, marks_of
from tests.examples import examples
from tests.unit.review_samples import (
    EVERYTHING,
    HOSTILE_TEXT,
    NOTHING,
    SAMPLES,
    hostile,
    review,
    reviewed,
    step,
    update,
)
from tests.unit.test_review_markdown import FRAGMENTS

VOID = {"meta", "br", "img", "link", "input"}
FRAGMENTS_HTML = [*FRAGMENTS, '"', "'", "</style>", "</svg>", "</title>", "]]>", "onload=x", "&lt;"]
TEXTS = st.lists(st.sampled_from(FRAGMENTS_HTML) | st.text(max_size=3), max_size=9).map("".join)
SHOWN = TEXTS.filter(lambda text: bool(text.strip(" `")))


@dataclass
class Tags(HTMLParser):
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.inside.append(tag)

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self.inside):
            self.text += data


def parsed(page: str) -> Tags:
    found = Tags()
    found.feed(page)
    found.close()
    assert not found.inside
    return found


@lru_cache
def harmless() -> list[str]:
    return sorted(set(parsed(to_html(hostile("word"))).tags))


@settings(max_examples=examples(60))
@given(text=SHOWN)
def test_no_value_makes_an_element_or_an_attribute(text: str) -> None:
    page = to_html(hostile(text))
    found = parsed(page)
    assert sorted(set(found.tags)) == harmless()
    assert not {"script", "img", "a", "iframe", "link", "form", "object"} & set(found.tags)
    for name, value in found.attributes:
        assert not name.startswith("on"), name
        assert name not in ("href", "src", "style", "srcset", "action")
        assert "javascript:" not in value or name in ("aria-label",)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    assert not re.search(r"url\(|@import", page)
    page.encode("utf-8")


def test_the_policy_allows_the_styles_of_the_page_and_nothing_else() -> None:
    for sample in (EVERYTHING, NOTHING):
        page = to_html(sample)
        (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        hashes = {
            f"'sha256-{base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}'"
            for style in re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
        }
        assert set(re.findall(r"'sha256-[^']*'", policy)) == hashes


def test_nothing_is_fetched_from_anywhere() -> None:
    page = to_html(EVERYTHING).replace('xmlns="http://www.w3.org/2000/svg"', "")
    found = parsed(page)
    assert not [value for _, value in found.attributes if "://" in value or value.startswith("//")]


def test_everything_a_reviewer_has_to_see_is_there() -> None:
    found = parsed(to_html(EVERYTHING))
    for words in (
        "+1 create", "~8 update", "±1 replace", "−1 delete", "1 unchanged", "Loses data",
        "Wider permission", "Policies · 1 mandatory · 1 advisory", "blueprint.yaml:41",
        '"ml.m5.large"', '"ml.m5.4xlarge"', "forces replacement (aws 5.100.0)", "Changes (6)",
        "mlops-iac 0.1.0 → 0.2.0", "Tag-only changes (3)", "Same content, other digest (1)",
        "Suppressed policies (1)", "1 unknown until applied", "mlops-iac up -s prod --plan plan.json",
    ):  # fmt: skip
        assert words in found.text, words
    assert '"one"' not in found.text
    assert '"two"' not in found.text


def test_it_is_the_same_from_a_saved_review() -> None:
    assert to_html(EVERYTHING) == to_html(Review.from_json(EVERYTHING.to_json()))


def test_the_picture_marks_what_changes_and_shows_what_goes() -> None:
    marks = marks_of(EVERYTHING)
    assert sorted(marks.values()) == ["create", "delete", "replace", *["update"] * 4]
    graph = graph_of(EVERYTHING)
    assert graph is not None
    deleted = next(urn for urn, op in marks.items() if op == "delete")
    assert deleted in graph.by_urn()
    svg = to_svg(graph, marks)
    root = ET.fromstring(svg)
    signs = [e.text for e in root.iter() if (e.get("class") or "").startswith("sign ")]
    # One for each group of resources that changes, and one for each operation in the legend.
    assert sorted(signs) == sorted("±−+~~~~−±+~")
    edges = [e.get("class") for e in root.iter() if (e.get("class") or "").startswith("edge ")]
    assert sorted(edges) == ["edge create", "edge delete", "edge replace", "edge update"]
    assert "sign" not in to_svg(graph)


def test_a_mark_is_seen_behind_many_groups() -> None:
    parent = Resource("c", "mlops-iac:aws:X", "x", False, parent="s")
    many = [
        Resource(f"r{n}", f"aws:s3/t{n:02}:Type{n:02}", f"x-{n}", True, parent="c")
        for n in range(30)
    ]
    stack = Resource("s", STACK_TYPE, "p-s", False)
    svg = to_svg(ResourceGraph("p", "s", (stack, parent, *many)), {"r29": "delete"})
    assert '<text class="type"' in svg
    assert "Type29</text>" in svg
    assert "Type28</text>" not in svg


def test_a_large_review_is_complete_and_quick() -> None:
    steps = [
        reviewed(step("update", "Bucket", f"bucket-{n}", update("name", n, n + 1), of="data"))
        for n in range(5000)
    ]
    start = time.process_time()
    page = to_html(review(*steps))
    assert time.process_time() - start < 3
    assert page.count('<details class="card"') == 5000
    loose = [reviewed(replace(each.step, parent="")) for each in steps]
    start = time.process_time()
    page = to_html(review(*loose))
    assert time.process_time() - start < 3
    assert "too many components" in page


@pytest.mark.parametrize("sample", SAMPLES)
def test_pages_are_well_formed(sample: str) -> None:
    page = to_html(SAMPLES[sample])
    parsed(page)
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ET.fromstring(svg)


def test_ten_megabytes_cost_nothing() -> None:
    start = time.process_time()
    page = to_html(hostile(HOSTILE_TEXT * 30_000))
    assert time.process_time() - start < 5
    assert len(page) < 60_000


def test_steps_of_components_alone_are_no_change() -> None:
    what = Step("create", "urn:pulumi:a::b::mlops-iac:aws:X::x", "mlops-iac:aws:X", "x", False)
    assert "Nothing changes." in to_html(review(reviewed(what)))
