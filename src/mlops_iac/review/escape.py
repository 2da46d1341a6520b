"""Text from a blueprint, made inert: it can be read, and can do nothing.

Markdown is rendered by a parser, and what comes out is searched once more for mentions, references,
addresses and emoji. Both stop at code, so everything that is not plain words is shown as code: as a
code span where every character is harmless there, else as `<code>` with each character that could
mean anything written as a character reference (CommonMark 0.31, 2.5: a reference never starts
structure). Bitbucket escapes all HTML, so there the few characters that could end a code span are
replaced by their likeness.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final, Literal

from mlops_iac.blueprint.words import UNSEEN

Platform = Literal["github", "gitlab", "azure-devops", "bitbucket"]
PLATFORMS: Final[tuple[Platform, ...]] = ("github", "gitlab", "azure-devops", "bitbucket")

# Characters of one value in a sentence or a table.
SHORT: Final = 160
# Characters of one sentence that someone wrote.
SENTENCE: Final = 600
# Characters of one line of a property diff.
LINE: Final = 240

_HIDDEN: Final = frozenset((*UNSEEN, "Cn"))
# Letters, marks and signs that are drawn as nothing: Unicode's Default_Ignorable_Code_Point outside of
# the categories above, and the empty Braille pattern.
_BLANK: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
_COMBINING: Final = frozenset(("Mn", "Me"))
_SHORTHAND: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ZERO_WIDTH: Final = "\u200b"
_HARMLESS_IN_CODE = re.compile(r"[A-Za-z0-9_.,:;=+*/()\[\]{}'\"~^%?!\- ]*", re.ASCII)
# Words as people write them; with a digit or a sign inside they may be a reference.
_WORD = re.compile(r"[(“\"']?[^\W\d_]+(?:[-’'][^\W\d_]+)*[)”’\"']?[.,;:!?]?[)”]?")
_NUMBER = re.compile(r"\(?\d{1,6}(?:[.,]\d{1,3})?%?\)?[.,;:]?")
_SIGNS: Final = frozenset("→←—–·×±≤≥…−")
# Seven hexadecimal letters are a commit to some platforms, `www` starts an address.
_REFERENCE = re.compile(r"[a-f]{7,}|w{3,}", re.IGNORECASE)
_QUOTED = re.compile(r"`([^`]*)`([.,;:!?)]*)")
_LIKENESS = str.maketrans({"`": "\u02cb", "|": "¦"})
# Azure DevOps and Bitbucket take `@name`, `@<id>` and `@{id}` for a mention wherever they stand.
_MENTION = re.compile(r"@(?=[^\s@])")


def visible(text: str, limit: int) -> str:
    r"""One line of at most about `limit` characters; what would not show or turn text around, does.

    Control, format and unassigned characters appear as `\n` or `\u202e`; more than two combining
    marks on one letter, which would paint over the lines around, too. Only the beginning of a long
    text is ever looked at.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    size = marks = 0
    for character in text[: limit + 1]:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in _COMBINING else 0
        blank = kind == "Zs" and character != " "
        if kind in _HIDDEN or marks > 2 or blank or _BLANK.match(character):
            character = _SHORTHAND.get(character) or _escaped(character)
        if size + len(character) > limit:
            return "".join(shown) + "…"
        shown.append(character)
        size += len(character)
    return "".join(shown)


def code(text: str, platform: Platform, *, limit: int = SHORT) -> str:
    """A value inside a line: always one code element, whatever it holds."""
    shown = visible(text, limit)
    if platform == "bitbucket":
        inert = _unmentioned(shown.translate(_LIKENESS).strip())
        return f"`{inert}`" if inert else '`""`'
    if not shown:
        return '`""`'
    if _HARMLESS_IN_CODE.fullmatch(shown) and shown == shown.strip() and "  " not in shown:
        return f"`{shown}`"
    return html_code(shown, limit=limit + 1)


def html_code(text: str, *, limit: int = SHORT) -> str:
    """A value as `<code>`, for places where Markdown is not read (`<summary>`)."""
    return f"<code>{_references(visible(text, limit))}</code>"


def prose(text: str, platform: Platform, *, limit: int = SENTENCE) -> str:
    """A sentence: plain words as they are, everything else as code.

    What the sentence has in backticks stays together. The result must not stand at the beginning of
    a line, where a number or a dash would start a list.
    """
    shown = visible(text.replace("\n", " ") if len(text) <= limit else text[:limit] + "…", limit)
    parts: list[str] = []
    position = 0
    for match in _QUOTED.finditer(shown):
        parts += _words(shown[position : match.start()], platform)
        quoted, tail = match.groups()
        parts.append((code(quoted, platform, limit=limit) if quoted else "") + tail)
        position = match.end()
    parts += _words(shown[position:], platform)
    return " ".join(part for part in parts if part)


def name(text: str, platform: Platform) -> str:
    """A short name in a heading: as it is where it is plain, else as code."""
    plain = len(text) <= SHORT and text.isascii() and text[-1:].isalnum() and _WORD.fullmatch(text)
    return text if plain and not _REFERENCE.search(text) else code(text, platform)


def fence(lines: Iterable[str], platform: Platform, *, limit: int = LINE) -> list[str]:
    """Lines as a block of code that none of them can end; each starts with a sign of ours."""
    shown = [visible(line, limit) for line in lines]
    if platform == "bitbucket":
        shown = [_unmentioned(line.translate(_LIKENESS)) for line in shown]
    elif platform == "azure-devops":
        shown = [_unmentioned(line) for line in shown]
    longest = max((len(run) for line in shown for run in re.findall(r"`+", line)), default=0)
    ticks = "`" * max(3, longest + 1)
    return [f"{ticks}diff", *shown, ticks]


def attribute_json(value: Any) -> str:
    """JSON that can stand in a comment, a link title or an attribute without ending it."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return re.sub(r"[<>&()'`@#\x7f]|-(?=-)|(?<=-)-", lambda m: f"\\u{ord(m[0]):04x}", text)


def page(text: str, *, limit: int = SENTENCE) -> str:
    """Text for an HTML page, in an element or a quoted attribute."""
    return escape(visible(text, limit), quote=True)


def utf16_length(text: str) -> int:
    """Size as the strictest platform counts it: a character outside the first plane is two."""
    return len(text) + sum(character > "\uffff" for character in text)


def joined(parts: Sequence[str], most: int, separator: str = ", ") -> str:
    """The first `most` parts, and how many more there are."""
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return separator.join(parts[:most]) + more


def _words(text: str, platform: Platform) -> list[str]:
    """Plain words as they are; neighbours that are not, each as code."""
    parts: list[str] = []
    for word in text.replace("`", "\u02cb").split(" "):
        if not word:
            continue
        plain = word in _SIGNS or (
            (_WORD.fullmatch(word) or _NUMBER.fullmatch(word)) and not _REFERENCE.search(word)
        )
        if plain:
            parts.append(word)
            continue
        tail = re.search(r"[.,;:!?]?\Z", word)
        cut = tail.start() if tail and tail.start() else len(word)
        parts.append(code(word[:cut], platform) + word[cut:])
    return parts


def _unmentioned(text: str) -> str:
    return _MENTION.sub(f"@{_ZERO_WIDTH}", text)


def _references(text: str) -> str:
    return "".join(
        character if character == " " or character.isalnum() else f"&#{ord(character)};"
        for character in text
    )


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
