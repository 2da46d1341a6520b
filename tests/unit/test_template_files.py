"""What a template's files may be called and how large they may be; what their digest covers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.templates import files
from mlops_iac.templates.files import FileEntry, check, digest, read_folder, wrong_name

MANIFEST = FileEntry(path="template.yaml", size=10)


def refused(*entries: FileEntry) -> str:
    with pytest.raises(TemplateUnavailable) as caught:
        check([MANIFEST, *entries], "the source")
    assert caught.value.code == "template-refused"
    assert caught.value.message.startswith("the source is refused: ")
    assert caught.value.message.isprintable()
    return caught.value.message


HOSTILE = [
    "/etc/passwd", "../up", "a/../../up", "a/./b", "a//b", "a/", "a\\b", "..\\up", "C:/x", "C:x",
    "a\nb", "a\x00b", "a\x1b[2Jb", "a\u202eb", "a\u200bb", "a\udc80b", ".GIT/config", "a/.Git/hooks/x",
    "con", "a/NUL.txt", "com1.yaml", "trailing.", "trailing ", "x" * 241, "/".join("a" * 20), "",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE, ids=[ascii(name[:20]) for name in HOSTILE])
def test_hostile_names_are_refused(name: str) -> None:
    refused(FileEntry(path=name, size=1))


@pytest.mark.parametrize("kind", ["symbolic link", "submodule"])
def test_what_is_no_file_is_refused(kind: str) -> None:
    assert f"'link' is a {kind}" in refused(FileEntry(path="link", size=1, kind=kind))


@pytest.mark.parametrize(
    "names",
    [("a.yaml", "A.yaml"), ("a/x", "A/y"), ("caf\u00e9", "cafe\u0301"), ("stra\u00dfe", "strasse")],
)
def test_names_that_are_one_on_some_file_system(names: tuple[str, str]) -> None:
    assert "one file on some" in refused(*(FileEntry(path=name, size=1) for name in names))


@pytest.mark.parametrize("names", [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_one_name_twice(names: tuple[str, str]) -> None:
    assert "there are two of" in refused(*(FileEntry(path=name, size=1) for name in names))


def test_too_much() -> None:
    check([MANIFEST, FileEntry(path="a", size=files.LARGEST)], "")
    assert "larger than 1 MiB" in refused(FileEntry(path="a", size=files.LARGEST + 1))
    many = [FileEntry(path=f"f{n}", size=0) for n in range(files.MOST_FILES)]
    check([MANIFEST, *many[:-1]], "")
    assert "more than 2,000 files" in refused(*many)
    large = [FileEntry(path=f"f{n}", size=files.LARGEST) for n in range(17)]
    assert "16 MiB together" in refused(*large)


def test_without_a_manifest_it_is_no_template() -> None:
    with pytest.raises(TemplateUnavailable) as caught:
        check([FileEntry(path="sub/template.yaml", size=1)], "./all/")
    assert caught.value.code == "template-missing"
    assert caught.value.hint == "write ./all/sub"


def test_ordinary_names_are_taken() -> None:
    for name in ("scaffold/{{ name }}/train.py.jinja", ".github/workflows/ci.yml", "a b", "π.yaml"):
        assert wrong_name(name) == ""


@given(st.text(max_size=40))
def test_an_accepted_name_stays_inside_its_folder(name: str) -> None:
    if not wrong_name(name):
        inside = os.path.normpath("/x/y/" + name)
        assert inside.startswith("/x/y/") and inside == f"/x/y/{name}"


def test_the_digest_covers_names_sizes_and_bytes() -> None:
    base = {"a": b"1", "b": b"2"}
    assert digest(base) == digest({"b": b"2", "a": b"1"})
    others = [{"a": b"1"}, {"a": b"12", "b": b""}, {"a": b"2", "b": b"1"}, {"a": b"1", "c": b"2"}]
    assert len({digest(base), *map(digest, others)}) == 5


def template(folder: Path) -> Path:
    (folder / "policies").mkdir(parents=True)
    (folder / "template.yaml").write_text("template: 1\n")
    (folder / "policies" / "own.py").write_text("RULE = 1\n")
    return folder


def test_a_folder_is_read_without_what_tools_leave(tmp_path: Path) -> None:
    folder = template(tmp_path / "t")
    for name in (".git/config", "policies/__pycache__/own.pyc", ".DS_Store"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    assert sorted(read_folder(folder, "t")) == ["policies/own.py", "template.yaml"]


@pytest.mark.parametrize("target", ["/etc/passwd", "template.yaml", "nowhere", "policies"])
def test_a_link_in_a_folder_is_refused(tmp_path: Path, target: str) -> None:
    folder = template(tmp_path / "t")
    (folder / "link").symlink_to(target)
    with pytest.raises(TemplateUnavailable, match="'link' is a symbolic link"):
        read_folder(folder, "t")


def test_a_pipe_in_a_folder_is_refused_and_nobody_waits_for_it(tmp_path: Path) -> None:
    folder = template(tmp_path / "t")
    os.mkfifo(folder / "pipe")
    with pytest.raises(TemplateUnavailable, match="device or pipe"):
        read_folder(folder, "t")


def test_a_folder_too_deep_or_too_full_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = template(tmp_path / "t")
    (folder / "/".join("d" * 40)).mkdir(parents=True)
    with pytest.raises(TemplateUnavailable, match="too long"):
        read_folder(folder, "t")
    monkeypatch.setattr(files, "MOST_FILES", 3)
    full = template(tmp_path / "full")
    for number in range(5):
        (full / f"empty{number}").mkdir()
    with pytest.raises(TemplateUnavailable, match="more than 3 files"):
        read_folder(full, "t")
