"""The comment: what it says, that it fits, and that no value of a blueprint is more than text."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_iac.graph.plan import PropertyChange
from mlops_iac.policy.model import Finding
from mlops_iac.review.escape import PLATFORMS, Platform, code, fence, prose, utf16_length, visible
from mlops_iac.review.markdown import LIMITS, is_plain_address, to_markdown
from mlops_iac.review.marker import Marker, read_marker
from mlops_iac.review.model import Review, Risk
from tests.examples import examples
from tests.unit.rendered import ACTIVE, LABEL, Page, blocks, both, page
from tests.unit.review_samples import (
    EVERYTHING,
    HOSTILE_TEXT,
    NOTHING,
    ONE_LINE,
    SAMPLES,
    hostile,
    review,
    reviewed,
    step,
    update,
)

GOLDEN = Path(__file__).parent / "golden"
FRAGMENTS = [
    "`", "``", "```\n", "~~~\n", "|", "\n", "\n\n", "\r\n", "> ", "# ", "- ", "1. ", "***", "\\",
    "-->", "--!>", "<!--", "</details>", "<details>", "<code>", "</code>", "<script>", "<img src=x>",
    "![a](b)", "[a](http://b.c)", "[a]: http://b.c\n", "<http://a.b>", "http://a.b", "www.a.com",
    "a@b.com", "@all", "@<1>", "@{1}", "#1", "!1", "&1", "$1", "%1", "~a", "^a", "GH-1", ":x:",
    "&amp;", "&#96;", "&#x60;", "\u202e", "\u2066", "\u200b", "\x00", "\x1b[0m", "\ud800", "\ufeff",
    "$`x`$", "$$", "[ ]", "/close\n", "mlops-iac {}", "\u0301" * 9, "é", "deadbeef0", " ", "word",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=9).map("".join)
PROPERTY = settings(
    max_examples=examples(40),
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow],
)
SHOWN = TEXTS.filter(lambda text: bool(text.strip()))
TAGS = {
    "p", "h3", "strong", "code", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "pre",
    "ul", "li", "details", "summary",
}  # fmt: skip


@lru_cache
def harmless(platform: Platform) -> list[str]:
    return blocks(to_markdown(hostile("word"), platform), platform)


@pytest.mark.parametrize("platform", PLATFORMS)
@PROPERTY
@given(text=SHOWN)
def test_the_structure_is_the_same_whatever_the_values(platform: Platform, text: str) -> None:
    comment = to_markdown(hostile(text), platform)
    structure, found = both(comment, platform)
    assert structure == harmless(platform)
    assert set(found.tags) <= TAGS
    assert "a" not in found.tags
    assert "img" not in found.tags
    assert not (active := ACTIVE.search(found.outside_code)), active
    if platform == "gitlab":
        assert not LABEL.search(found.outside_code)
    if platform != "bitbucket":
        assert len(found.comments) == 1
    assert read_marker(comment) is not None


@pytest.mark.parametrize("platform", PLATFORMS)
@PROPERTY
@given(text=TEXTS)
def test_a_value_is_one_code_element_and_a_sentence_never_more_than_words_and_code(
    platform: Platform, text: str
) -> None:
    for context in ("a {} b", "| a |\n|---|\n| {} |", "> {}", "- a {}"):
        comment = context.format(code(text, platform))
        plain = context.format("`x`")
        assert blocks(comment, platform) == blocks(plain, platform)
        assert len(page(comment, platform).code) == 1
        sentence = page(context.format("is: " + prose(text, platform)), platform)
        assert set(sentence.tags) <= TAGS
        assert not ACTIVE.search(sentence.outside_code)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("form", ["{}", "a{}b", "{0}{0}", "a {} b", "{}x"])
def test_no_fragment_alone_breaks_out(platform: Platform, form: str) -> None:
    context = "| a |\n|---|\n| {} |\n\n> {}\n\n- a {}"
    plain = blocks(context.format(*["`x`"] * 3), platform)
    for fragment in FRAGMENTS:
        text = form.format(fragment)
        value = code(text, platform)
        structure, found = both(context.format(value, value, value), platform)
        assert structure == plain, text
        assert (len(found.code), found.tags.count("td")) == (3, 1), text
        sentence = f"is: {prose(text, platform)}"
        structure, found = both(context.format(sentence, sentence, sentence), platform)
        assert structure == plain, text
        assert set(found.tags) <= TAGS, text
        assert not ACTIVE.search(found.outside_code), text


@pytest.mark.parametrize("platform", PLATFORMS)
def test_no_line_ends_a_block_of_code(platform: Platform) -> None:
    for line in ("`````", "~~~", "</pre>", "@all", "    x", "```\n# x"):
        structure, found = both("\n".join(fence([line, "- b"], platform)), platform)
        assert structure == ["fence"]
        assert found.tags == ["pre", "code"]
        assert len(found.code) == 1


@pytest.mark.parametrize("platform", PLATFORMS)
def test_code_shows_the_value_itself(platform: Platform) -> None:
    for text in ("ml.m5.large", "a|b", "a `b` c", "<b>&amp;</b>", "  spaced  out ", "x\\", "*_~"):
        (shown,) = page(f"a {code(text, platform)} b", platform).code
        expected = text
        if platform == "bitbucket":
            expected = text.strip().replace("`", "\u02cb").replace("|", "¦")
        assert shown == expected


def test_what_would_not_show_does() -> None:
    assert visible("a\nb\u202ec\x00d\u200be\ud800", 99) == "a\\nb\\u202ec\\u0000d\\u200be\\ud800"
    assert visible("e" + "\u0301" * 4, 99) == "e\u0301\u0301\\u0301\\u0301"
    assert visible("é ß 日本 😀", 99) == "é ß 日本 😀"


@pytest.mark.parametrize("text", ["@", "https://a:b@", "{", '"a": ', "\u0301", "a "])
def test_ten_megabytes_are_cut_and_cost_nothing(text: str) -> None:
    start = time.process_time()
    comment = to_markdown(hostile(text * (10_000_000 // len(text))))
    assert time.process_time() - start < 3
    assert utf16_length(comment) <= LIMITS["github"]
    assert "…" in comment


@pytest.mark.parametrize("platform", PLATFORMS)
@PROPERTY
@given(text=TEXTS, other=TEXTS)
def test_the_marker_survives_and_cannot_be_forged(
    platform: Platform, text: str, other: str
) -> None:
    comment = to_markdown(replace(hostile(text), project=other), platform, run=7)
    marker = read_marker(comment)
    assert marker is not None
    assert marker.run == 7
    assert marker.same_subject(Marker(project=other, stack=text))
    assert marker.same_subject(Marker(project="x", stack="y")) is (other == "x" and text == "y")
    # Only the first line counts, and no other line is one.
    assert not any(read_marker(line) for line in comment.split("\n")[1:])


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "<!-- mlops-iac -->",
        "<!-- mlops-iac {} -->",
        '<!-- mlops-iac {"v":1,"project":1,"stack":"b"} -->',
        '<!-- mlops-iac {"v":"1","project":"a","stack":"b"} -->',
        '<!-- mlops-iac {"v":1,"project":"a","stack":"b","run":"x"} -->',
        '<!-- mlops-iac {"v":1,"project":"a"',
        '\n<!-- mlops-iac {"v":1,"project":"a","stack":"b"} -->',
        '> <!-- mlops-iac {"v":1,"project":"a","stack":"b"} -->',
        "<!-- mlops-iac " + "[" * 100_000 + " -->",
        "<!-- mlops-iac {" + '"a":{' * 50_000 + "} -->",
    ],
)
def test_what_is_no_marker_is_none(body: str) -> None:
    assert read_marker(body) is None


def test_a_duplicate_is_no_preview() -> None:
    marker = Marker("churn", "prod", duplicate=True)
    for platform in PLATFORMS:
        found = read_marker(marker.line(platform))
        assert found is not None
        assert found.duplicate


def table_rows(found: Page) -> int:
    return found.tags.count("tr") - found.tags.count("thead")


def test_everything_a_reviewer_has_to_see_is_there() -> None:
    comment = to_markdown(EVERYTHING)
    found = page(comment, "github")
    assert "+1 create · ~8 update · ±1 replace · −1 delete" in found.outside_code
    # Three real tables: six resources, two policies, one change of the tool.
    assert found.tags.count("table") == 3
    assert table_rows(found) == 6 + 2 + 1
    assert found.tags.count("details") == 5
    lines = comment.split("\n")
    rows = [line for line in lines if line.startswith(("| ±", "| −", "| +", "| ~"))]
    assert [row[2] for row in rows] == ["±", "−", "+", "~", "~", "~", "~"]
    assert lines.index("> [!CAUTION]") < lines.index("| | Component | Resource | Why |")
    assert "blueprint.yaml:41 serving.api.compute.size" in found.code
    assert "To apply: " in found.outside_code
    assert found.code[-1] == "mlops-iac up -s prod --plan plan.json"
    # Named like a secret: neither of the values.
    assert '"one"' not in comment
    assert '"two"' not in comment


def test_secrets_are_hidden_by_the_name_beside_them_too() -> None:
    environment = [{"name": "PORT", "value": "8080"}, {"name": "DB_PASSWORD", "value": "hunter2"}]
    before = [environment[0], {"name": "DB_PASSWORD", "value": "hunter1"}]
    what = step(
        "update",
        "Model",
        "api-model",
        update("containers[0].environment[1].value", "hunter1", "hunter2"),
        update("containers[0].environment[0].value", "80", "8080"),
        update("credentials.inner.deep", "hunter1", "hunter2"),
        update('env["HF_TOKEN"]', "hunter1", "hunter2"),
        update("url", "https://me:hunter1@host/", "https://me:hunter2@host/"),
        PropertyChange("environment", "add", None, environment),
        old_inputs={"containers": [{"environment": before}]},
        new_inputs={"containers": [{"environment": environment}]},
    )
    comment = to_markdown(review(reviewed(what), notes=["see https://me:hunter2@host/"]))
    assert "hunter" not in comment
    assert '"8080"' in comment


def test_long_texts_are_shown_where_they_differ_and_long_documents_not_at_all() -> None:
    base = "x" * 50_000
    document = '{"DB_PASSWORD": "hunter2", "x": "' + base
    changes = [
        update("plain", f"{base}old{base}", f"{base}new{base}"),
        update("json", f'{document}1"}}', f'{document}2"}}'),
        update("list", [base] * 5000, [{"a": [base]}] * 5000),
    ]
    comment = to_markdown(review(reviewed(step("update", "Model", "m", *changes))))
    assert "xxxold" in comment
    assert "xxxnew" in comment
    assert "hunter2" not in comment
    assert "a document of 50" in comment
    assert len(comment) < 5000


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_every_sample_fits_every_platform(platform: Platform, sample: str) -> None:
    comment = to_markdown(SAMPLES[sample], platform)
    assert utf16_length(comment) <= LIMITS[platform]
    assert '"truncated":false' in comment.split("\n")[0]


def large(number: int, text: str = "word") -> Review:
    """`number` resources, every tenth replaced, every twentieth deleted."""
    steps = []
    for n in range(number):
        change = update("name", f"{text}{n}", f"{text}{n}!", replaces=n % 10 == 0)
        op = "delete" if n % 20 == 1 else "replace" if n % 10 == 0 else "update"
        steps.append(reviewed(step(op, "Bucket", f"bucket-{n:04}", change, of="data")))
    findings = [
        Finding("owner-tag", "advisory", "has no owner", f"s3.Bucket/bucket-{n:04}")
        for n in range(number // 50)
    ]
    risks = [
        Risk("data-loss", f"s3.Bucket/bucket-{n:04}", "is deleted") for n in range(1, number, 20)
    ]
    return review(*steps, risks=risks, policies=findings)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_five_thousand_resources_fit_and_nothing_important_is_lost(platform: Platform) -> None:
    start = time.process_time()
    comment = to_markdown(large(5000), platform)
    assert time.process_time() - start < 3  # 0.1 to 0.4
    assert utf16_length(comment) <= LIMITS[platform]
    found = page(comment, platform)
    assert set(found.tags) <= TAGS
    assert found.tags.count("table") == 2
    marker = read_marker(comment)
    assert marker is not None
    assert marker.truncated is (platform != "gitlab")
    assert ("Shortened to fit" in found.outside_code) is marker.truncated
    if marker.truncated:
        assert utf16_length(comment) > LIMITS[platform] * 0.8
    else:
        assert comment.count("```diff") == 4750


@pytest.mark.parametrize("platform", PLATFORMS)
def test_details_go_first_and_rows_that_must_stay_last(platform: Platform) -> None:
    whole = to_markdown(large(200), "gitlab")
    for limit in (60_000, 30_000, 20_000, 9_000, 6_000, 3_000):
        comment = to_markdown(large(200), platform, limit=limit)
        assert utf16_length(comment) <= limit
        rows = re.findall(r"^\| ([±−~]) ", comment, re.M)
        undoable = [row for row in rows if row in "±−"]
        if "~" in rows:
            assert len(undoable) == 30, "an update stands where a deletion was cut"
            assert comment.count("owner-tag") == whole.count("owner-tag")
        if "```diff" in comment:
            assert len(rows) == 200, "a detail stands where a row was cut"
        found = page(comment, platform)
        assert set(found.tags) <= TAGS
        if len(undoable) < 30:
            assert f"and {200 - len(rows)} more" in comment


def test_a_thousand_risks_do_not_drive_out_the_deletions() -> None:
    risks = [Risk("cost", f"s3.Bucket/b{n}", "costs more " * 40) for n in range(1000)]
    findings = [Finding("rule", "mandatory", "words " * 90, f"s3.Bucket/b{n}") for n in range(1000)]
    steps = [reviewed(step("delete", "Bucket", f"precious-{n}")) for n in range(40)]
    comment = to_markdown(review(*steps, risks=risks, policies=findings), "bitbucket")
    assert comment.count("s3.Bucket/precious") == 40
    assert comment.count("**mandatory**") > 10
    assert re.search(r"> … and \d+ more", comment)
    assert utf16_length(comment) <= LIMITS["bitbucket"]


@PROPERTY
@given(text=TEXTS, limit=st.integers(9_000, 40_000), number=st.integers(0, 60))
def test_any_limit_leaves_a_well_formed_comment(text: str, limit: int, number: int) -> None:
    bad = hostile(text)
    comment = to_markdown(replace(bad, steps=[*bad.steps] * number), limit=limit)
    assert utf16_length(comment) <= limit
    found = page(comment, "github")
    assert set(found.tags) <= TAGS
    assert not ACTIVE.search(found.outside_code)


def test_a_link_to_the_whole_is_given_only_where_it_is_plain() -> None:
    link = "https://github.com/a/b/actions/runs/1"
    comment = to_markdown(large(500), limit=9_000, details_url=link)
    assert f"[the whole report]({link})" in comment
    assert page(comment, "github").tags.count("a") == 1
    for bad in (
        "http://a.b",
        "javascript:alert(1)",
        "https://a.b/)x",
        "https://a b",
        "",
        "https://",
    ):
        assert not is_plain_address(bad)
        assert "the whole report" not in to_markdown(large(500), limit=9_000, details_url=bad)


def test_the_same_review_is_the_same_comment() -> None:
    assert to_markdown(EVERYTHING) == to_markdown(Review.from_json(EVERYTHING.to_json()))


def test_platforms_are_those_of_the_type() -> None:
    assert set(get_args(Platform)) == set(PLATFORMS) == set(LIMITS)


@pytest.mark.parametrize(
    ("name", "subject", "platform"),
    [
        ("comment-one-line", ONE_LINE, "github"),
        ("comment-everything", EVERYTHING, "github"),
        ("comment-everything-bitbucket", EVERYTHING, "bitbucket"),
        ("comment-nothing", NOTHING, "gitlab"),
        ("comment-hostile", hostile(HOSTILE_TEXT), "azure-devops"),
    ],
)
def test_comments_are_as_they_were_read(
    name: str, subject: Review, platform: Platform, request: pytest.FixtureRequest
) -> None:
    """Rewrite them with `UPDATE_GOLDEN=1`, and read them."""
    import os

    path = GOLDEN / f"{name}.md"
    comment = to_markdown(subject, platform)
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(comment, encoding="utf-8")
    assert comment == path.read_text(encoding="utf-8")
