"""Edits by hand: what stays, what is shared, what is refused."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from textwrap import dedent

import pytest

from mlops_iac.blueprint.editing import Editor, EditRefused, TextFile, files
from mlops_iac.blueprint.editing.files import stage
from mlops_iac.errors import BlueprintInvalid, UsageError


def edited(text: str, *steps: tuple[str, ...]) -> str:
    editor = Editor(dedent(text))
    for name, *arguments in steps:
        getattr(editor, name)(*arguments)
    return editor.text


ROWS = {
    "a value keeps its quotes, its comment and the spacing around it": (
        "a:   'x'   # why\n",
        ("set", "a", "it's"),
        "a:   'it''s'   # why\n",
    ),
    "a number takes the quotes of a text away": ('a: "x"\n', ("set", "a", 3), "a: 3\n"),
    "a text that looks like a number gets quotes": ("a: x\n", ("set", "a", "3"), 'a: "3"\n'),
    "a block text becomes one line, its comment stays": (
        "a: |  # why\n  one\n  two\n\n# next\nb: 1\n",
        ("set", "a", "x"),
        "a: x  # why\n\n# next\nb: 1\n",
    ),
    "a new key goes into the braces that are there": (
        "a: {b: {c: 1 } }  # x\n",
        ("set", "a.b.d", 2),
        "a: {b: {c: 1, d: 2 } }  # x\n",
    ),
    "parents are made inside braces": (
        "a: {b: 1}\n",
        ("set", "a.c.d", "x, y"),
        'a: {b: 1, c: {d: "x, y"}}\n',
    ),
    "parents are made in block style, indented as the text is": (
        "a:\n    b: 1  # one\n\n# about z\nz: 1\n",
        ("set", "a.c.d", True),
        "a:\n    b: 1  # one\n    c:\n        d: true\n\n# about z\nz: 1\n",
    ),
    "below an empty key": (
        "a:\n  dev:   # nothing yet\n  prod: {}\n",
        ("set", "a.dev.x.y", 1),
        "a:\n  dev:   # nothing yet\n    x:\n      y: 1\n  prod: {}\n",
    ),
    "a range of versions stays as plain as it was": (
        "a: {b: ~2.0, c: 1}\n",
        ("set", "a.b", "~3.0"),
        "a: {b: ~3.0, c: 1}\n",
    ),
    "into empty braces": ("a: {}\n", ("set", "a.b", [1, "x"]), "a: {b: [1, x]}\n"),
    "a new section is as far from the others as they are": (
        "a: 1\n\n# of b\nb:\n  c: 1\n",
        ("set", "d.e", 2),
        "a: 1\n\n# of b\nb:\n  c: 1\n\nd:\n  e: 2\n",
    ),
    "a blank line is no part of a text above": (
        "a: 1\n\nb: |+\n  text\n",
        ("set", "d", 2),
        "a: 1\n\nb: |+\n  text\nd: 2\n",
    ),
    "a list item": ("a: [1, 2,  3] # x\n", ("set", "a[1]", 5), "a: [1, 5,  3] # x\n"),
    "a mapping is changed key by key": (
        "a:\n  b: 1  # one\n  # about c\n  c: 2\n",
        ("set", "a", {"b": 1, "d": 4}),
        "a:\n  b: 1  # one\n  d: 4\n  # about c\n",
    ),
    "CRLF stays CRLF": ("a: 1\r\nb: 2", ("set", "c.d", 3), "a: 1\r\nb: 2\r\nc:\r\n  d: 3"),
    "a wildcard renames everywhere": (
        "s:\n  x: {max: 1}\n  y:\n    'max': 2 # two\n",
        ("rename", "s.*.max", "most"),
        "s:\n  x: {most: 1}\n  y:\n    'most': 2 # two\n",
    ),
    "a comment above goes along, the one of others stays": (
        "a:\n  # head\n\n  # of b\n  b: 1  # one\n  c: 2\nd:\n  e: 3\n",
        ("move", "a.b", "d.f.g"),
        "a:\n  # head\n\n  c: 2\nd:\n  e: 3\n  f:\n    # of b\n    g: 1  # one\n",
    ),
    "a block becomes braces where it must, its comments come above": (
        "a:\n  b:\n    # deep\n    c: 1  # one\n  d: 2\nx:\n  y: {z: 1}\n",
        ("move", "a.b", "x.y.b"),
        "a:\n  d: 2\nx:\n  # deep\n  # one\n  y: {z: 1, b: {c: 1}}\n",
    ),
    "braces go into a block as they are": (
        "a: {b: {c: 'x',   d: 2}, e: 1}\nx:\n  y: 1\n",
        ("move", "a.b", "x.b"),
        "a: {e: 1}\nx:\n  y: 1\n  b: {c: 'x',   d: 2}\n",
    ),
    "stars are bound in order": (
        "s: {x: {k: {v: 1}}, y: {k: {v: 2}}}\n",
        ("move", "s.*.*.v", "t.*.*"),
        "s: {x: {k: {}}, y: {k: {}}}\nt:\n  y:\n    k: 2\n  x:\n    k: 1\n",
    ),
    "the last of a block leaves braces": (
        "a:  # x\n  b: 1\nc: 1\n",
        ("remove", "a.b"),
        "a: {}  # x\nc: 1\n",
    ),
    "an item of a list": (
        "a:\n- x  # one\n# two\n- y\n",
        ("remove", "a[0]"),
        "a:\n# two\n- y\n",
    ),
    "the first key of a compact item": ("a:\n- b: 1\n  c: 2\n", ("remove", "a[0].b"), "a:\n- c: 2\n"),
    "one of several lines in braces": (
        "a: {\n  b: 1,  # one\n  c: 2  # two\n}\n",
        ("remove", "a.c"),
        "a: {\n  b: 1,  # one\n}\n",
    ),
    "an anchor that nobody uses is no obstacle": (
        "a: &x\n  b: 1\n",
        ("set", "a.b", 2),
        "a: &x\n  b: 2\n",
    ),
    "an alias is replaced at its own place": (
        "a: &x 1\nb: *x\n",
        ("set", "b", 2),
        "a: &x 1\nb: 2\n",
    ),
    "an own key stands before a merged one": (
        "a: &x {b: 1}\nc: {<<: *x}\n",
        ("set", "c.b", 2),
        "a: &x {b: 1}\nc: {<<: *x, b: 2}\n",
    ),
    "what all share may change where all are meant": (
        "a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n",
        ("rename", "*.b", "z"),
        "a: &x {z: 1}\nc: *x\nd:\n  <<: *x\n",
    ),
    "nothing found, nothing done": ("a: 1\n", ("remove", "b.*"), "a: 1\n"),
    "a key with a dot": ('a: {"b.c": 1}\n', ("set", 'a."b.c"', 2), 'a: {"b.c": 2}\n'),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_edit(row):
    before, step, after = row
    assert edited(before, step) == after


REFUSED = {
    "an anchor that others use": (
        "a: &x\n  b: 1\nc: *x\n",
        ("set", "a.b", 2),
        (2, "shared through the anchor in line 1"),
    ),
    "through an alias": (
        "a: &x\n  b: 1\nc: *x\n",
        ("set", "c.b", 2),
        (2, "shared through the alias in line 3"),
    ),
    "through a merge": (
        "a: &x {b: 1}\nc: {<<: *x}\n",
        ("remove", "c.b"),
        (1, "shared through '<<' in line 2"),
    ),
    "some of those that share": (
        "a: &x {b: 1}\nc: *x\n",
        ("rename", "a.b", "z"),
        (1, "shared through the anchor in line 1"),
    ),
    "an anchored value that others need": (
        "a: &x 1\nb: *x\nc: 1\n",
        ("remove", "a"),
        (1, "shared through the anchor in line 1"),
    ),
    "a key that is there": (
        "a: 1\nb: 2\n",
        ("rename", "a", "b"),
        (1, "a cannot become b: that is in line 2 already"),
    ),
    "two that would be one": (
        "s:\n  x: 1\n  y: 2\n",
        ("rename", "s.*", "z"),
        (3, "s.y and s.x (line 2) cannot have one name"),
    ),
    "a place that is there": (
        "a: {b: 1}\nc: {d: 2}\n",
        ("move", "a.b", "c.d"),
        (1, "a.b cannot become c.d: that is in line 2 already"),
    ),
    "into itself": ("a: {b: 1}\n", ("move", "a", "a.b.c"), (1, "cannot move into itself")),
    "below a text": ("a: x\n", ("set", "a.b", 1), (1, "a has no b below it")),
    "below a null that is written": (
        "a: {b: null}\n",
        ("set", "a.b.c", 1),
        (1, "a.b is null, which removes it"),
    ),
    "beyond the end of a list": ("a: [1]\n", ("set", "a[1]", 1), (1, "a list of 1")),
    "all of it": ("a: 1\n", ("remove", "a"), (1, "nothing would be left")),
    "comments that would be lost": (
        "a:\n- 1  # one\n- 2\n",
        ("set", "a", 3),
        (2, "it holds comments"),
    ),
    "keys after a question mark": ("? a\n: 1\nb: 2\n", ("set", "c", 3), (1, "'?'")),
}  # fmt: skip


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_the_line_and_nothing_done(row):
    before, (name, *arguments), (line, words) = row
    editor = Editor(before)
    with pytest.raises(EditRefused) as told:
        getattr(editor, name)(*arguments)
    (said,) = told.value.diagnostics
    assert said.line == line
    assert words in said.message
    assert editor.text == before


@pytest.mark.parametrize("text", ["", "- a\n", "a: 1\na: 2\n", "a: !x 1\n", "a: 1\n---\nb: 2\n"])
def test_what_is_no_blueprint_is_not_edited(text):
    with pytest.raises(BlueprintInvalid):
        Editor(text)


@pytest.mark.parametrize("path", ["", "a..b", "a.", ".a", "a[0]b"])
def test_what_is_no_path(path):
    with pytest.raises(UsageError, match="no path"):
        Editor("a: 1\n").set(path, 1)


def test_a_star_names_no_single_place():
    with pytest.raises(UsageError, match="names several places"):
        Editor("a: 1\n").set("*.b", 1)


def test_lines_are_those_before_the_first_edit():
    editor = Editor("a: 1\nb:\n  c: 1\nd: 1\n")
    editor.set("b.x", {"y": 1, "z": 2})
    editor.move("b.c", "e")
    assert [change.line for change in editor.rename("e", "f")] == [3]
    assert [change.line for change in editor.remove("d")] == [4]


def test_a_file_keeps_its_mark_its_mode_and_its_link(tmp_path):
    path = tmp_path / "real.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\n")
    path.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(path)
    file = TextFile(link, "link.yaml")
    editor = Editor(file.text)
    assert not file.write(editor.text)
    editor.set("a", 2)
    assert file.write(editor.text)
    assert path.read_bytes() == b"\xef\xbb\xbfa: 2\r\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["link.yaml", "real.yaml"]


def test_a_file_that_somebody_else_changed_is_not_written(tmp_path):
    path = tmp_path / "blueprint.yaml"
    path.write_text("a: 1\n")
    file = TextFile(path)
    path.write_text("a: 5\n")
    with pytest.raises(UsageError, match="somebody else"):
        file.write("a: 2\n")
    assert path.read_text() == "a: 5\n"


def test_of_two_who_write_at_once_one_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "blueprint.yaml"
    path.write_text("a: 1\n")
    both = threading.Barrier(2)

    def slowly(target, content):
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.5)  # broken where only one of them comes this far
        return stage(target, content)

    monkeypatch.setattr(files, "stage", slowly)
    written = {number: TextFile(path) for number in (2, 3)}
    with ThreadPoolExecutor() as pool:
        done = [pool.submit(file.write, f"a: {number}\n") for number, file in written.items()]
    wrong = [each.exception() for each in done]
    assert [type(each) for each in wrong if each is not None] == [UsageError]
    assert path.read_text() == f"a: {2 if wrong[0] is None else 3}\n"


def test_a_comment_that_stays_on_its_line_is_not_written_twice():
    text = "b: {\n  a: 1,\n  c: 2 # two\n }\n"
    assert edited(text, ("move", "b.c", "b.d.e")) == "b: {\n  a: 1,\n  d: {e: 2} # two\n }\n"
