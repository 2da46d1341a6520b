"""A comment as a platform renders it: CommonMark with GFM's tables and autolinks, by markdown-it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser

from markdown_it import MarkdownIt
from markdown_it.token import Token

from mlops_iac.review.escape import Platform

# What a platform makes of text that stands in no code: mentions, references, addresses, emoji.
ACTIVE = re.compile(
    r"(?<![\w`])@[\w<{]|(?<!\w)#\d|(?<!\w)!\d|(?<!\w)(?:[&%$^]\w|~[a-z])|\bGH-\d|https?:|www\.|:\w+:"
    r"|\w@\w|\b[0-9a-f]{7,40}\b|[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f-\x9f]",
    re.IGNORECASE,
)
# On GitLab `~1` is a label.
LABEL = re.compile(r"~\d")


@lru_cache
def parser(platform: Platform) -> MarkdownIt:
    if platform == "bitbucket":  # escapes all HTML
        return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return MarkdownIt("gfm-like", {"html": True, "linkify": True})


def blocks(markdown: str, platform: Platform) -> list[str]:
    """The block structure: token types with nesting; of HTML, the tags."""
    return _blocks(parser(platform).parse(markdown))


def _blocks(tokens: Sequence[Token]) -> list[str]:
    found = []
    for token in tokens:
        tags = re.findall(r"<(/?[a-z]+|!--)", token.content) if token.type == "html_block" else []
        found.append(f"{'  ' * token.level}{token.type}{tags or ''}")
    return found


@dataclass
class Page(HTMLParser):
    """What stands where in the rendered comment."""

    tags: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    outside_code: str = ""
    code: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag not in ("br", "hr", "img", "input"):
            self.inside.append(tag)
        if tag == "code":
            self.code.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.inside, f"</{tag}> ends nothing"
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if "code" in self.inside:
            self.code[-1] += data
        else:
            self.outside_code += data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def page(markdown: str, platform: Platform) -> Page:
    return both(markdown, platform)[1]


def both(markdown: str, platform: Platform) -> tuple[list[str], Page]:
    """Blocks and page of one comment, parsed once."""
    markdown_it = parser(platform)
    tokens = markdown_it.parse(markdown)
    result = Page()
    result.feed(markdown_it.renderer.render(tokens, markdown_it.options, {}))
    result.close()
    assert not result.inside
    return _blocks(tokens), result
