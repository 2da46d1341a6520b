"""The words of messages: lists, counts, did-you-mean, paths."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

# What a terminal obeys, and what turns the text around it: C0 and C1 but tab and line break, line
# and paragraph separators, and the embeddings, overrides and isolates of bidirectional text.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


# Controls, zero-width and bidirectional marks, line and paragraph separators, halves of pairs.
UNSEEN = ("Cc", "Cf", "Co", "Cs", "Zl", "Zp")


def obeyed(text: str) -> str:
    """The first character that is no text but does something to what shows it; or nothing."""
    found = _OBEYED.search(text)
    return found[0] if found else ""


def unseen(text: str) -> str:
    """The first character that nobody sees in a name, control characters among them; or nothing."""
    if text.isprintable():
        return ""
    from unicodedata import category  # only for what is not plain text

    return next((item for item in text if category(item) in UNSEEN), "")


def one_line(text: str) -> str:
    """A text of several lines, or with characters that would be obeyed, on one line.

    A line of its own could be a command: to a CI's log, `::error::` is one.
    """
    if text.isprintable():
        return text
    plain = " ".join(text.split())
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", plain)


def nearest(written: str, known: Iterable[str]) -> str:
    """The known name that was probably meant, or an empty text."""
    from difflib import get_close_matches  # only when something is wrong

    names = [name for name in known if name]
    lowered = {name.lower().replace("_", "-"): name for name in reversed(names)}
    started = [name for name in names if len(written) > 2 and name.startswith(written)]
    if len(started) == 1:
        return started[0]
    found = get_close_matches(written.lower().replace("_", "-"), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else ""


THERE_IS = "there is: "


def suggestion(written: str, known: Sequence[str]) -> str:
    """`did you mean 'x'?`, or what there is, or an empty text."""
    if meant := nearest(written, known):
        return f"did you mean '{meant}'?"
    return f"{THERE_IS}{listed(known)}" if known else ""


def listed(names: Iterable[object], word: str = "and", most: int = 30) -> str:
    """`a, b and c`."""
    texts = [str(name) for name in names]
    if len(texts) > most:
        texts = [*texts[:most], f"{len(texts) - most} more"]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} {word} {texts[-1]}"


def a(noun: str) -> str:
    """`a model`, `an environment`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def join(path: str, key: str) -> str:
    """`path.key`; a key with a dot is quoted."""
    shown = f'"{key}"' if "." in key else key
    return f"{path}.{shown}" if path else shown


def split(path: str) -> list[str]:
    """The keys of a path, the inverse of `join`; list positions stay with their key."""
    keys: list[str] = []
    rest = path
    while rest:
        if rest.startswith('"') and (end := rest.find('"', 1)) > 0:
            keys.append(rest[1:end])
            rest = rest[end + 2 :]
        else:
            key, _, rest = rest.partition(".")
            keys.append(key)
    return keys


def parent(path: str) -> str:
    """The path of what `path` stands in; empty at the top."""
    if path.endswith("]"):
        return path[: path.rindex("[")]
    keys = split(path)[:-1]
    shown = ""
    for key in keys:
        shown = join(shown, key)
    return shown
