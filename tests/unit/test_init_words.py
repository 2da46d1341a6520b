"""`init [TEMPLATE[@VERSION]] [TARGET]`: which word is which."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.cli._init_words import Words, read, split
from mlops_iac.errors import UsageError

BUILTIN = ("governed-realtime", "realtime")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`standard` holds a template, `plain` nothing."""
    monkeypatch.chdir(tmp_path)
    for name in ("standard", "templates/base", "plain"):
        (tmp_path / name).mkdir(parents=True)
        if name != "plain":
            (tmp_path / name / "template.yaml").write_text("template: 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ((), Words(Path())),
        (("new",), Words(Path("new"))),
        (("./new",), Words(Path("./new"))),
        (("plain",), Words(Path("plain"))),
        (("a/b",), Words(Path("a/b"))),
        (("/srv/new",), Words(Path("/srv/new"))),
        (("My Project",), Words(Path("My Project"))),
        (("./new@2",), Words(Path("./new@2"))),
        (("realtime",), Words(Path(), "realtime")),
        (("realtime@1",), Words(Path(), "realtime", "1")),
        (("realtime@^1.0",), Words(Path(), "realtime", "^1.0")),
        (("realtime@^1",), Words(Path(), "realtime", "^1")),
        (("./realtime",), Words(Path("./realtime"))),
        (("./standard",), Words(Path(), "./standard")),
        (("./standard@~2.1",), Words(Path(), "./standard", "~2.1")),
        (("./templates/base/",), Words(Path(), "./templates/base/")),
        (("git+https://h/p",), Words(Path(), "git+https://h/p")),
        (("git+ssh://git@h/p",), Words(Path(), "git+ssh://git@h/p")),
        (("git+ssh://git@h/p@2.1.0",), Words(Path(), "git+ssh://git@h/p", "2.1.0")),
        (("git+https://h/p#subdirectory=a/b@^2",), Words(Path(), "git+https://h/p#subdirectory=a/b", "^2")),
        (("python:acme_templates/standard",), Words(Path(), "python:acme_templates/standard")),
        (("https://h/p",), Words(Path(), "https://h/p")),
        (("git@h:p",), Words(Path(), "git@h:p")),
        (("realtime", "new"), Words(Path("new"), "realtime")),
        (("./standard@2", "new"), Words(Path("new"), "./standard", "2")),
        (("nonsense", "new"), Words(Path("new"), "nonsense")),
    ],
)  # fmt: skip
def test_words(words: tuple[str, ...], meant: Words) -> None:
    assert read(words, None, BUILTIN) == meant


def test_an_option_leaves_no_doubt(folder: Path) -> None:
    (folder / "realtime").mkdir()
    assert read((), "realtime", BUILTIN) == Words(Path(), "realtime")
    assert read(("realtime",), "realtime@1", BUILTIN) == Words(Path("realtime"), "realtime", "1")
    with pytest.raises(UsageError, match="there is one word"):
        read(("a", "b"), "realtime", BUILTIN)


@pytest.mark.parametrize(
    ("word", "message", "spellings"),
    [
        ("realtime", "'realtime' is a built-in template, and there is such a folder here",
         ("`mlops-iac init realtime .`", "`mlops-iac init ./realtime`")),
        ("standard", "'standard' is a folder, and a template lies in it",
         ("`mlops-iac init ./standard .`",)),
        ("templates/base", "is a folder, and a template lies in it",
         ("`mlops-iac init ./templates/base .`",)),
        ("realtme@1.0", "there is no built-in template 'realtme'",
         ("`mlops-iac init ./realtme@1.0`", "there is: governed-realtime, realtime")),
    ],
)  # fmt: skip
def test_what_could_be_both_is_refused_with_both_spellings(
    folder: Path, word: str, message: str, spellings: tuple[str, ...]
) -> None:
    (folder / "realtime").mkdir()
    with pytest.raises(UsageError) as error:
        read((word,), None, BUILTIN)
    assert message in error.value.message
    assert error.value.message.endswith("nothing was written")
    assert all(each in error.value.hint for each in spellings), error.value.hint


def test_a_template_is_no_place_for_a_project(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "standard")
    with pytest.raises(UsageError, match="a template lies here"):
        read((".",), None, BUILTIN)
    assert read((), None, BUILTIN) == Words(Path())


def test_a_folder_called_nearly_like_a_template_is_told() -> None:
    meant = read(("realtme",), None, BUILTIN)
    assert meant.target == Path("realtme")
    assert meant.note == "'realtme' is the folder; the template is called 'realtime'"
    assert read(("churn",), None, BUILTIN).note == ""


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a@1", ("a", "1")), ("a@v1.0", ("a", "v1.0")), ("a@*", ("a", "*")), ("a@b", ("a@b", "")),
        ("@1", ("@1", "")), ("a@", ("a@", "")), ("a@1/b", ("a@1/b", "")), ("a@b@2", ("a@b", "2")),
        ("a@!=2.3.0", ("a", "!=2.3.0")),
    ],
)  # fmt: skip
def test_a_version_is_behind_the_last_at(text: str, parts: tuple[str, str]) -> None:
    assert split(text) == parts
