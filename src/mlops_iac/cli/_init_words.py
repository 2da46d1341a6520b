"""`init [TEMPLATE[@VERSION]] [TARGET]`: which word is which."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mlops_iac.blueprint.templates.content import MANIFEST
from mlops_iac.errors import UsageError
from mlops_iac.templates.sources.builtin import NAME

_VERSION = re.compile(r"[\^~<>=!]*v?\d[^/]*|\*")
# Written so, it can only be a source; the last are none yet, and their error says what to write.
_SOURCE = re.compile(r"git\+|python:|https?://|ssh://|file://|git@")


@dataclass(frozen=True)
class Words:
    """What is meant. `template` is empty for the example project; `note` is for a person."""

    target: Path
    template: str = ""
    version: str = ""
    note: str = ""


def read(words: Sequence[str], option: str | None, builtin: Sequence[str]) -> Words:
    """What the words of the command line mean; `option` is that of `--template`.

    One word is a template where it can be nothing else: a source, the name of a built-in template,
    a folder with `template.yaml`; else it is the folder to write. Raises UsageError where it can be
    both.
    """
    if option is not None:
        if len(words) > 1:
            raise UsageError(
                f"with --template there is one word, the folder, not {len(words)}",
                hint="mlops-iac init --template TEMPLATE TARGET",
            )
        return Words(Path(words[0] if words else "."), *split(option))
    if len(words) > 1:
        return Words(Path(words[1]), *split(words[0]))
    if not words:
        return Words(Path())
    return _one(words[0], builtin)


def split(text: str) -> tuple[str, str]:
    """`acme@^2.1` as source and version; no version, no text."""
    source, separator, version = text.rpartition("@")
    if separator and source and _VERSION.fullmatch(version):
        return source, version
    return text, ""


def _one(word: str, builtin: Sequence[str]) -> Words:
    source, version = split(word)
    if _SOURCE.match(source):
        return Words(Path(), source, version)
    if source in builtin:
        if not version and Path(word).exists():
            raise _both(
                word,
                f"'{word}' is a built-in template, and there is such a folder here",
                f"{word} .",
                f"./{word}",
            )
        return Words(Path(), source, version)
    if (Path(source) / MANIFEST).is_file():
        folder = source if source.startswith(("./", "../", "/")) else f"./{source}"
        if Path(source).resolve() == Path.cwd():
            raise _both(word, "a template lies here", f"{folder.rstrip('/')} ../FOLDER")
        if folder != source and source not in (".", ".."):
            raise _both(word, f"'{word}' is a folder, and a template lies in it", f"{folder} .", "")
        return Words(Path(), source, version)
    if version and NAME.fullmatch(source) and not Path(word).exists():
        raise _both(
            word,
            f"there is no built-in template '{source}'",
            f"{(*builtin, 'TEMPLATE')[0]}@{version} .",
            f"./{word}",
            builtin,
        )
    plain = "/" not in word and not Path(word).exists()
    near = get_close_matches(word, builtin, n=1, cutoff=0.8) if plain else []
    note = f"'{word}' is the folder; the template is called '{near[0]}'" if near else ""
    return Words(Path(word), note=note)


def _both(
    word: str, why: str, template: str, folder: str = "", builtin: Sequence[str] = ()
) -> UsageError:
    hints = [f"`mlops-iac init {template}` starts from the template"]
    if folder:
        hints.append(f"`mlops-iac init {folder}` writes the example project into the folder")
    if builtin:
        hints.append(f"there is: {', '.join(builtin)}")
    return UsageError(
        f"{why}: '{word}' alone could be both; nothing was written", hint="; ".join(hints)
    )
