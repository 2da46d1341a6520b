"""`blueprint.lock`: what is written is read back, and everything else is told with line and fix."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlops_iac.blueprint.source import Source
from mlops_iac.errors import BlueprintInvalid, Diagnostic, UsageError
from mlops_iac.templates.lockfile import (
    Lock,
    Pin,
    lock_path,
    parse_lock,
    read_lock,
    render_lock,
    write_lock,
)

STANDARD = Pin(
    template="git+https://git.acme.com/ml/templates#subdirectory=standard",
    requested="^2.1",
    name="acme/standard",
    version="2.1.0",
    digest=f"sha256:{'1' * 64}",
    commit="a" * 40,
)
BASE = Pin(
    template="./base folder",
    requested="",
    name="base",
    version="1.0.0-rc.1",
    digest=f"sha256:{'2' * 64}",
    by="acme/standard@2.1.0",
)
LOCK = Lock(pins=(STANDARD, BASE))
TEXT = render_lock(LOCK)


def told(text: str) -> Diagnostic:
    with pytest.raises(BlueprintInvalid) as caught:
        parse_lock(Source("blueprint.lock", text))
    found = caught.value.diagnostics[0]
    assert found.file == "blueprint.lock"
    assert found.hint
    return found


def test_what_is_written_is_read_back() -> None:
    assert parse_lock(Source("blueprint.lock", TEXT)) == LOCK
    assert render_lock(parse_lock(Source("", TEXT))) == TEXT


def test_it_reads_well() -> None:
    assert TEXT.splitlines()[1:9] == [
        "lock: 1",
        "templates:",
        "  - template: git+https://git.acme.com/ml/templates#subdirectory=standard",
        '    requested: "^2.1"',
        "    name: acme/standard",
        "    version: 2.1.0",
        f"    digest: sha256:{'1' * 64}",
        f"    commit: {'a' * 40}",
    ]


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1))
def test_any_source_survives_yaml(text: str) -> None:
    pin = Pin(text, "^2.1", "n", "2.1.0", f"sha256:{'0' * 64}")
    written = yaml.safe_load(render_lock(Lock(pins=(pin,))))
    assert written["templates"][0]["template"] == text


@pytest.mark.parametrize(
    "text", ["1e5", "1.0", "0x1f", "true", "1:30", "~", "- a", "1.2.3", "a: b"]
)
def test_text_stays_text_for_other_parsers(text: str) -> None:
    pin = Pin(text, text, "n", "2.1.0", f"sha256:{'0' * 64}")
    assert yaml.safe_load(render_lock(Lock(pins=(pin,))))["templates"][0]["requested"] == text


def test_layout_and_line_ends_do_not_matter() -> None:
    for text in (TEXT.replace("\n", "\r\n"), f"# kept\n{TEXT}", TEXT.replace('"^2.1"', "'^2.1'")):
        assert parse_lock(Source("", text)) == LOCK


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 2.1.0", "version: 2.2.0"),
        ('"^2.1"', '"^2.2"'),
        ("1" * 64, "3" * 64),
        ("    commit: " + "a" * 40 + "\n", ""),
        ("by: acme/standard@2.1.0", "by: acme/other@2.1.0"),
    ],
)
def test_a_hand_edit_is_told(old: str, new: str) -> None:
    found = told(TEXT.replace(old, new))
    assert found.code == "lock-edited"
    assert "edited by hand" in found.message
    assert "template update" in found.hint


def test_swapped_templates_are_told() -> None:
    swapped = render_lock(Lock(pins=(BASE, STANDARD))).splitlines()[:-1]
    assert told("\n".join([*swapped, TEXT.splitlines()[-1]])).code == "lock-edited"


def test_a_merge_conflict_is_told_at_its_line() -> None:
    lines = TEXT.splitlines()
    lines[5:5] = ["<<<<<<< HEAD"]
    found = told("\n".join([*lines, "=======", ">>>>>>> other"]))
    assert (found.code, found.line) == ("lock-conflict", 6)


def test_a_newer_format_asks_for_a_newer_tool() -> None:
    found = told(TEXT.replace("lock: 1", "lock: 2"))
    assert (found.code, found.line) == ("lock-newer", 2)
    assert "upgrade" in found.hint


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("", 1, "not a template lock"),
        ("[]", 1, "not a template lock"),
        ("a: 1", 1, "not a template lock"),
        ("lock: one", 1, "not a template lock"),
        ("lock: 1\ntemplates: [\n", 0, "cannot be read"),
        ("lock: 1\ntemplates: {}\nintegrity: x", 1, "takes a list"),
        ("lock: 1\ntemplates: [a]\nintegrity: x", 2, "a template has template, requested"),
        ("lock: 1\nlock: 1\ntemplates: []\nintegrity: x", 2, "lock"),
        ("lock: 1\ntemplates: []", 1, "edited by hand"),
        (TEXT.replace("    name:", "    nme:"), 6, "'nme' is not what was written"),
        (f"{TEXT}more: 1\n", 16, "edited by hand"),
        (TEXT.replace("version: 2.1.0", "version: two"), 4, "'two' is not a semantic version"),
        (TEXT.replace("sha256:1", "md5:1"), 8, "'digest' is not"),
        (TEXT.replace("a" * 40, "HEAD"), 9, "'commit' is not"),
        ("lock: 1\x07", 1, "U+0007"),
    ],
)
def test_what_is_no_lock_is_told_at_its_line(text: str, line: int, word: str) -> None:
    found = told(text)
    assert word in found.message
    assert found.line == line or line == 0


def test_on_disk(tmp_path: Path) -> None:
    path = lock_path(tmp_path / "api.v1.yaml")
    assert path.name == "api.v1.lock"
    assert read_lock(path) is None
    assert write_lock(path, LOCK) is True
    assert write_lock(path, LOCK) is False
    assert read_lock(path) == LOCK
    assert [item.name for item in tmp_path.iterdir()] == ["api.v1.lock"]
    assert write_lock(path, Lock()) is True
    assert not path.exists()


def test_what_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    path = tmp_path / "blueprint.lock"
    path.mkdir()
    with pytest.raises(BlueprintInvalid, match="not a file"):
        read_lock(path)
    with pytest.raises(UsageError, match="cannot be written"):
        write_lock(path, LOCK)
    binary = tmp_path / "binary.lock"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BlueprintInvalid, match="UTF"):
        read_lock(binary)


def test_a_lock_that_the_system_does_not_show_is_not_to_be_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, shown: str) -> Source:
        raise UsageError(f"'{shown}' cannot be read: Permission denied")

    (tmp_path / "blueprint.lock").touch()
    monkeypatch.setattr("mlops_iac.templates.lockfile.read", refused)
    with pytest.raises(BlueprintInvalid) as caught:
        read_lock(tmp_path / "blueprint.lock")
    assert [each.hint for each in caught.value.diagnostics] == ["make it readable"]
