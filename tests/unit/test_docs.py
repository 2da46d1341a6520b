"""Pages that people read: their links lead somewhere, and what they quote is still said."""

from __future__ import annotations

import ast
import re
import unicodedata
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
# What `template docs` and `compile` write has tests of its own, but its links are looked at, too.
PAGES = sorted(
    path
    for path in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        *ROOT.glob("*/README.md"),
        *ROOT.glob("*/*/README.md"),
    ]
    if not {".venv", ".mlops-iac"}.intersection(path.parts)
)


@cache
def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    found: dict[str, int] = {}
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            inner = tokens[at + 1].children or ()
            text = "".join(each.content for each in inner).lower()
            kept = (c for c in text if c in " -_" or unicodedata.category(c)[0] in "LN")
            slug = "".join(kept).replace(" ", "-")
            again = found.get(slug, 0)
            found[slug] = again + 1
            found[f"{slug}-{again}" if again else slug] = 1
    return {*found}


@cache
def links(page: Path) -> list[str]:
    """Where a page's links and pictures lead to, outside of its code."""
    tokens = MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8"))
    inner = [child for token in tokens for child in token.children or ()]
    return [
        str(each.attrs[key])
        for each in inner
        for key in ("href", "src")
        if key in each.attrs and not re.match(r"[a-z]+:", str(each.attrs[key]))
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{link}: there is no {path}"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{link}: {target.name} has no such heading"


def test_every_page_is_found_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen and page.suffix == ".md" and page.exists():
            seen.add(page)
            waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page)]
    assert {*ROOT.glob("docs/*.md"), *ROOT.glob("*.md")} <= seen


@pytest.mark.parametrize(
    ("text", "anchor"),
    [("# A `code` & more", "a-code--more"), ("# Über 2.x", "über-2x"), ("# a_b (c)", "a_b-c")],
)
def test_anchors_are_those_of_github(tmp_path: Path, text: str, anchor: str) -> None:
    (tmp_path / "page.md").write_text(f"{text}\n\n{text}\n", encoding="utf-8")
    assert anchors(tmp_path / "page.md") == {anchor, f"{anchor}-1"}


# -- quotations


@cache
def said() -> list[str]:
    """Every text in the sources, and every run of text between the values in one."""
    return [
        node.value
        for path in (ROOT / "src").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


def quotations() -> list[str]:
    """What the tables headed `It says` quote: up to the `|` or what stands behind the quotation."""
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    tables = re.findall(r"^\| It says .*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [
        row.split(" | ")[0].removeprefix("| ") for table in tables for row in table.splitlines()
    ]


@pytest.mark.parametrize("quoted", quotations())
def test_what_the_page_of_troubles_quotes_is_still_said(quoted: str) -> None:
    found = re.fullmatch(r"`(.+?)`(?: with `.*)?", quoted)
    assert found, quoted
    words = [part.strip() for part in found[1].split("…") if re.search(r"\w\w", part)]
    assert words
    for part in words:
        assert any(part in text for text in said()), f"{part!r} is nowhere in the sources"


def test_every_type_that_is_generated_has_a_row_in_what_it_costs() -> None:
    table = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+/\w+):\w+` \| ([^|]+) \|", table, re.MULTILINE)
    made = {type_ for type_, example in rows if example != "–"}
    assert len(made) > 40
    cost = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
    assert made - {*re.findall(r"`(\w+/\w+)`", cost)} == set()
