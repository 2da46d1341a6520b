"""Random documents, random edits: what was meant differs and nothing else, judged by another reader."""

from __future__ import annotations

import copy
import re
import time
from difflib import SequenceMatcher
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mlops_iac.blueprint.editing import Editor, EditRefused
from mlops_iac.blueprint.editing.marks import Document
from mlops_iac.blueprint.editing.places import place
from tests.examples import examples
from tests.unit.editing.documents import KEYS, WORDS, comments, documents, paths, said, values

many = settings(max_examples=examples(60))


def dotted(keys: tuple[Any, ...]) -> str:
    shown = ""
    for key in keys:
        if isinstance(key, int):
            shown += f"[{key}]"
        else:
            quoted = f'"{key}"' if "." in key or " " in key else key
            shown += f".{quoted}" if shown else quoted
    return shown


def at(value: Any, keys: tuple[Any, ...]) -> Any:
    for key in keys:
        value = value[key]
    return value


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """Lines that are gone and lines that are new, with their breaks."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    gone, come = [], []
    for op, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op != "equal":
            gone += old[a:b]
            come += new[c:d]
    return gone, come


@many
@given(documents(), st.data())
def test_a_scalar_is_replaced_and_only_its_lines_differ(document, data):
    value, text = document
    assert said(text) == value  # the generator says what it means
    leaves = [keys for keys in paths(value) if isinstance(at(value, keys), str)]
    assume(leaves)
    keys = data.draw(st.sampled_from(leaves))
    new = data.draw(st.sampled_from(WORDS))
    editor = Editor(text)
    editor.set(dotted(keys), new)
    meant = copy.deepcopy(value)
    at(meant, keys[:-1])[keys[-1]] = new
    assert said(editor.text) == meant
    assert comments(editor.text) == comments(text)
    gone, come = changed_lines(text, editor.text)
    assert len(come) <= 1
    assert len(gone) <= 2  # a block text has a line of its own
    assert editor.text.endswith(("\n", "\r")) == text.endswith(("\n", "\r"))


@many
@given(documents(), st.data())
def test_what_is_missing_is_put_in_and_no_line_goes(document, data):
    value, text = document
    maps = [(), *(keys for keys in paths(value) if isinstance(at(value, keys), dict))]
    holder = data.draw(st.sampled_from(maps))
    names = data.draw(st.lists(st.sampled_from([*KEYS, "new"]), min_size=1, max_size=3))
    assume(names[0] not in at(value, holder))
    new = data.draw(values)
    editor = Editor(text)
    editor.set(dotted((*holder, *names)), new)
    meant = copy.deepcopy(value)
    inner = at(meant, holder)
    for name in names[:-1]:
        inner[name] = {}
        inner = inner[name]
    inner[names[-1]] = new
    assert said(editor.text) == meant
    assert comments(editor.text) == comments(text)
    gone, _ = changed_lines(text, editor.text)
    assert len(gone) <= 1  # that of a mapping in braces, or the last without a break


@many
@given(documents(), st.data())
def test_a_key_is_renamed_in_its_place(document, data):
    value, text = document
    keyed = [keys for keys in paths(value) if isinstance(keys[-1], str)]
    keys = data.draw(st.sampled_from(keyed))
    new = data.draw(st.sampled_from([*KEYS, "new", "a, b", "true"]))
    editor = Editor(text)
    holder = at(value, keys[:-1])
    if new in holder and new != keys[-1]:
        with pytest.raises(EditRefused, match="already"):
            editor.rename(dotted(keys), new)
        assert editor.text == text
        return
    editor.rename(dotted(keys), new)
    assert list(at(said(editor.text), keys[:-1])) == [new if k == keys[-1] else k for k in holder]
    back = Editor(editor.text)
    back.rename(dotted((*keys[:-1], new)), keys[-1])
    assert said(back.text) == value
    gone, come = changed_lines(text, editor.text)
    assert len(gone) == len(come) <= 1
    assert comments(editor.text) == comments(text)


@many
@given(documents(), st.data())
def test_an_entry_is_removed_with_what_is_in_it(document, data):
    value, text = document
    keys = data.draw(st.sampled_from(paths(value)))
    editor = Editor(text)
    if keys[:-1] == () and len(value) == 1:
        with pytest.raises(EditRefused, match="nothing would be left"):
            editor.remove(dotted(keys))
        assert editor.text == text
        return
    editor.remove(dotted(keys))
    meant = copy.deepcopy(value)
    del at(meant, keys[:-1])[keys[-1]]
    assert said(editor.text) == meant
    assert set(comments(editor.text)) <= set(comments(text))
    _, come = changed_lines(text, editor.text)
    assert len(come) <= 2  # what loses its last one becomes {}, a compact item begins with its next


@many
@given(documents(), st.data())
def test_an_entry_moves_with_its_comments(document, data):
    value, text = document
    keyed = [keys for keys in paths(value) if isinstance(keys[-1], str)]
    keys = data.draw(st.sampled_from(keyed))
    maps = [(), *(k for k in paths(value) if isinstance(at(value, k), dict))]
    holder = data.draw(st.sampled_from(maps))
    names = data.draw(st.lists(st.sampled_from([*KEYS, "new"]), min_size=1, max_size=2))
    target = (*holder, *names)
    assume(target[: len(keys)] != keys and names[0] not in at(value, holder))
    assume(keys[:-1] or len(value) > 1 or holder == ())
    editor = Editor(text)
    editor.move(dotted(keys), dotted(target))
    meant = copy.deepcopy(value)
    inner = at(meant, holder)
    for name in names[:-1]:
        inner[name] = {}
        inner = inner[name]
    inner[names[-1]] = at(meant, keys)
    del at(meant, keys[:-1])[keys[-1]]
    assert said(editor.text) == meant
    assert comments(editor.text) == comments(text)


@many
@given(documents(), st.data())
def test_a_copy_leaves_the_first_as_it_is(document, data):
    value, text = document
    keyed = [keys for keys in paths(value) if isinstance(keys[-1], str)]
    keys = data.draw(st.sampled_from(keyed))
    editor = Editor(text)
    editor.copy(dotted(keys), "copied.here")
    assert said(editor.text) == {**value, "copied": {"here": at(value, keys)}}
    gone, _ = changed_lines(text, editor.text)
    assert len(gone) <= 1


@many
@given(documents(), st.data())
def test_lines_are_those_of_the_first_text(document, data):
    value, text = document
    editor = Editor(text)
    tops = list(value)
    for name in tops:
        editor.set(f"added.{name.replace('.', '-').replace(' ', '-')}", data.draw(values))
        editor.set("first.of", data.draw(st.sampled_from(WORDS)))
    lines = dict(Editor(text).find("*"))
    for name in tops:
        (change,) = editor.rename(dotted((name,)), f"{name}-new")
        assert change.line == lines[change.path]


@many
@given(documents(), st.data())
def test_what_is_shared_changes_for_all_or_not_at_all(document, data):
    """One value gets an anchor, and aliases and a merge use it."""
    value, text = document
    places = [keys for keys in paths(value) if isinstance(keys[-1], str)]
    keys = data.draw(st.sampled_from(places))
    marks = Document(text)
    found = place(marks.root, keys)
    colon = found.pair.colon
    inner = at(value, keys)
    text = f"{text[:colon]} &shared{text[colon:]}"
    newline = marks.newline
    text += ("" if text.endswith(newline) else newline) + f"zz: *shared{newline}"
    meant = {**value, "zz": copy.deepcopy(inner)}
    if isinstance(inner, dict):
        text += f"yy: {{<<: *shared, own: '1'}}{newline}"
        meant["yy"] = {**copy.deepcopy(inner), "own": "1"}
    assume(resolved(text) == meant)  # an anchor cannot stand everywhere
    target = data.draw(st.sampled_from(paths(meant)))
    assume(isinstance(target[-1], str))
    what = data.draw(st.sampled_from(["set", "rename", "remove", "move"]))
    new = copy.deepcopy(meant)
    holder = at(new, target[:-1])
    arguments = {"set": "9", "rename": "fresh", "remove": None, "move": "fresh.place"}[what]
    if what == "set":
        holder[target[-1]] = "9"
    else:
        taken = holder.pop(target[-1])
        if what == "rename":
            holder["fresh"] = taken
        if what == "move":
            new["fresh"] = {"place": taken}
    editor = Editor(text)
    try:
        getattr(editor, what)(dotted(target), *([arguments] if arguments else []))
    except EditRefused:
        assert editor.text == text
    else:
        assert resolved(editor.text) == new


def resolved(text: str) -> Any:
    """With aliases and merges, everything a text."""

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {  # noqa: RUF012
            "<": [("tag:yaml.org,2002:merge", re.compile("^<<$"))]
        }

    return yaml.load(text, Loader)


def test_many_at_once_are_quick():
    count = 400
    text = "serving:\n" + "".join(
        f"  e{n}: {{scaling: {{maximum: {n}}}}}  # {n}\n" for n in range(count)
    )
    editor = Editor(text)
    started = time.process_time()
    assert len(editor.rename("serving.*.scaling.maximum", "max")) == count
    assert editor.text == text.replace("maximum", "max")
    assert time.process_time() - started < 5
