"""A review as the comment of a pull request.

Made from the structured plan alone, never from printed words. Order: what it is, what it puts at
risk, the resources, the policies, the details, how to apply it. What does not fit a platform's limit
goes from the end of that order: whole property diffs first, and last of all replacements, deletions
and policies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from mlops_iac.review.budget import fit
from mlops_iac.review.escape import Platform, code, name, utf16_length
from mlops_iac.review.marker import Marker
from mlops_iac.review.model import Review
from mlops_iac.review.sections import pen, sections
from mlops_iac.review.shown import changed, counted, headline, told_about

# Characters of one comment. GitHub: "body is too long (maximum is 65536 characters)"; GitLab: the
# application limit for notes; Azure DevOps: the length of a thread's comment; Bitbucket Cloud: 32 KB.
LIMITS: Final[Mapping[Platform, int]] = {
    "github": 65_536,
    "gitlab": 1_000_000,
    "azure-devops": 150_000,
    "bitbucket": 32_768,
}
_OFFLINE: Final = ("", "embedded", "capture")


def to_markdown(
    review: Review,
    platform: Platform = "github",
    *,
    limit: int | None = None,
    run: int = 0,
    details_url: str = "",
) -> str:
    """The comment, at most `limit` characters (the platform's by default), counted as UTF-16.

    `run` is the CI run's number, for the marker. `details_url` is where all of it can be read; the
    caller vouches for it, and one that is not a plain https address is left out.
    """
    most = LIMITS[platform] if limit is None else min(limit, LIMITS[platform])
    top, bottom = _top(review, platform), _bottom(review, platform)
    hint = _hint(review, platform, details_url, 10**9, 10**9)
    marker = Marker(
        review.project, review.stack, review.plan_hash, review.sha, truncated=True, run=run
    )
    # `false` is one longer than `true`.
    frame = [marker.line(platform) + " ", top, bottom, hint]
    room = most - sum(utf16_length(part) + 2 for part in frame)
    parts = sections(review, platform)
    fit(parts.all, room)
    rows = sum(section.left_out for section in parts.rows)
    blocks = sum(section.left_out for section in parts.blocks)
    body = [text for section in parts.all if (text := section.text())]
    if rows or blocks:
        bottom = f"{_hint(review, platform, details_url, rows, blocks)}\n\n{bottom}"
    shown = replace(marker, truncated=bool(rows or blocks))
    head = f"{shown.line(platform)}\n{chr(10) if platform == 'bitbucket' else ''}{top}"
    text = "\n\n".join([head, *body, bottom]) + "\n"
    assert utf16_length(text) <= most, (utf16_length(text), most)
    return text


def _top(review: Review, platform: Platform) -> str:
    """Heading, counts and what was compared with: always there, of bounded size."""
    engine = "offline" if review.engine in _OFFLINE else review.engine
    about = ", ".join(name(word, platform) for word in (review.platform, engine) if word)
    subject = f"{name(review.project, platform)} → {name(review.stack, platform)}"
    everything = [*review.steps, *review.tool_changes]
    counts = headline(counted(everything))
    if platform == "gitlab":  # where `~2` is the label with that number
        counts = counts.replace("~", "~\u2060")
    lines = [f"### mlops-iac preview · {subject} ({about})", f"**{counts}**"]
    if told := " · ".join(told_about(review, pen(platform))):
        lines += ["", f"{told[:1].upper()}{told[1:]}"]
    if not changed(everything):
        lines += ["", "Nothing changes."]
    return "\n".join(lines)


def _bottom(review: Review, platform: Platform) -> str:
    if not changed([*review.steps, *review.tool_changes]):
        return "Nothing to apply."
    return f"To apply: {code(f'mlops-iac up -s {review.stack} --plan plan.json', platform)}"


def _hint(review: Review, platform: Platform, details_url: str, rows: int, blocks: int) -> str:
    lost = " and ".join(
        words
        for number, words in (
            (rows, f"{rows} row(s)"),
            (blocks, f"{blocks} detail block(s)"),
        )
        if number
    )
    command = code(f"mlops-iac preview -s {review.stack} --diff", platform)
    link = f"[the whole report]({details_url}) or " if is_plain_address(details_url) else ""
    return f"Shortened to fit: {lost} left out. All of it: {link}{command}"


def is_plain_address(address: str) -> bool:
    """Whether an address is https and cannot end the link it is put in."""
    rest = address.removeprefix("https://")
    return (
        rest != address
        and 0 < len(rest) <= 1000
        and address.isascii()
        and all(character.isalnum() or character in "-._~/?=&%:+," for character in rest)
    )
