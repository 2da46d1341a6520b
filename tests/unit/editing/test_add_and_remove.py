"""What is added and removed again leaves every byte as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mlops_iac.api.stacks.editing import put_in, take_out
from mlops_iac.blueprint.editing import Editor, EditRefused
from mlops_iac.errors import BlueprintInvalid
from tests.unit.editing.documents import documents
from tests.unit.editing.test_random_edits import dotted, many

ROOT = Path(__file__).parents[3]
BLUEPRINTS = sorted(
    [*ROOT.glob("examples/*/blueprint.yaml"), *ROOT.glob("blueprints/*/blueprint.yaml")]
)

PLAIN = """\
# The team's.
blueprint: 1
name: churn

models:
  churn: {code: workload/}  # ours

environments:
  # where it is tried
  dev: {account: 123456789012}

  prod:  # where it counts
    account: 210987654321
    # as agreed
    serving: {api: {scaling: {max: 6}}}  # not more
    # below
# at the end
"""
ODD = {
    "plain": PLAIN,
    "no final newline": PLAIN.removesuffix("# at the end\n").rstrip("\n"),
    "crlf": PLAIN.replace("\n", "\r\n"),
    "crlf, no final newline": PLAIN.rstrip("\n").replace("\n", "\r\n"),
    "blank lines at the end": PLAIN + "\n\n",
    "spaces at the end": PLAIN + "  \n",
    "no environments": "blueprint: 1\n\nname: x\n\nmodels: {}\n",
    "no environments, close": "blueprint: 1\nname: x\nmodels: {}\n",
    "no environments, no final newline": "blueprint: 1\n\nname: x\n\nmodels: {}",
    "no environments, crlf": "blueprint: 1\r\n\r\nname: x\r\n\r\nmodels: {}\r\n",
    "no environments, comment at the end": "blueprint: 1\n\nname: x\n\nmodels: {}\n\n# bye\n",
    "no environments, close comment": "blueprint: 1\n\nname: x\n\nmodels: {}\n# bye\n",
    "no environments, blank lines": "blueprint: 1\n\nname: x\n\nmodels: {}\n\n\n",
    "no environments, a text": "blueprint: 1\n\nname: x\n\nowner: |\n  text\n\n",
    "empty": "blueprint: 1\nenvironments: {}\n",
    "empty, spaced": "blueprint: 1\nenvironments: { }  # none\nname: x\n",
    "flow": "blueprint: 1\nenvironments: {dev: {}, prod: {account: 1}}  # two\nname: x\n",
    "flow, one": "blueprint: 1\nenvironments: {dev: {}}\n",
    "flow, tall": "blueprint: 1\nenvironments: {\n  dev: {},  # one\n  prod: {}  # two\n}\n",
    "flow, comma": "blueprint: 1\nenvironments: {\n  dev: {},\n  prod: {},\n}\nname: x\n",
    "flow inside": "blueprint: 1\nenvironments:\n  dev: {account: 1}\n  prod: {}\nname: x\n",
    "in the middle": PLAIN.replace("environments:", "zones:").replace("models:", "environments:"),
    "four": "blueprint: 1\nenvironments:\n    dev:\n        account: 1\nname: x\n",
    "null": "blueprint: 1\nenvironments:\n  dev:\n  prod:  # nothing\nname: x\n",
    "anchors": "blueprint: 1\nenvironments:\n  dev: &d {account: 1}\n  prod: *d\nname: x\n",
    "anchor of all": "blueprint: 1\nenvironments: &all\n  dev: {account: 1}\n  prod: {}\n",
    "merge": "blueprint: 1\nx: &x {account: 1}\nenvironments:\n  dev:\n    <<: *x\n    region: a\n",
    "quoted": "blueprint: 1\n\"environments\":\n  'dev': {}\n",
    "a text": "blueprint: 1\nenvironments:\n  dev:\n    owner: |\n      a\n\n      b\n\n\nname: x\n",
    "a text at the end": "blueprint: 1\nenvironments:\n  dev:\n    owner: |+\n      a\n\n",
    "tabs": "blueprint: 1\t# one\nenvironments:\t# all\n  dev: {}\t# it\n",
    "wide": "blueprint: 1\nname: ünï  # ünï\nenvironments:\n  dev: {owner: ünï}\n",
    "ended": "blueprint: 1\nenvironments:\n  dev: {}\n...\n",
    "begun": "---\nblueprint: 1\nenvironments:\n  dev: {}\n",
}


def bases(text: str) -> list[str | None]:
    return [None, *(Editor(text).get("environments") or {})]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_text_is_as_it_was(name: str) -> None:
    text = ODD[name]
    added = 0
    for base in bases(text):
        editor = Editor(text)
        try:
            put_in(editor, "qa", base)
        except EditRefused:
            continue
        added += 1
        assert editor.has("environments.qa")
        take_out(editor, "qa")
        assert editor.text == text, base
    assert added


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.parent.name)
@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_every_blueprint_of_ours_is_as_it_was(path: Path, ending: str) -> None:
    text = path.read_text(encoding="utf-8")
    text = text.replace("\n", ending) if ending else text.rstrip("\n")
    for base in bases(text):
        editor = Editor(text)
        put_in(editor, "qa", base)
        assert editor.text != text
        take_out(editor, "qa")
        assert editor.text == text


def test_two_that_are_added_go_in_any_order() -> None:
    for text in ODD.values():
        for order in (("one", "two"), ("two", "one")):
            editor = Editor(text)
            try:
                put_in(editor, "one", None)
                put_in(editor, "two", None)
            except EditRefused:
                continue
            for name in order:
                take_out(editor, name)
            assert editor.text == text


@many
@given(documents(), st.data())
def test_any_text_is_as_it_was(document, data):
    value, text = document
    maps = [key for key, inner in value.items() if isinstance(inner, dict)]
    section = dotted((data.draw(st.sampled_from([*maps, "environments"])),))
    editor = Editor(text)
    inner = editor.get(section) or {}
    base = data.draw(st.sampled_from([None, *inner]))
    try:
        put_in(editor, "zz", base and dotted((base,)), section)
    except (EditRefused, BlueprintInvalid):
        assume(False)
    take_out(editor, "zz", section)
    assert editor.text == text
