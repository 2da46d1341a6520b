"""What a template says is shown to whoever uses it, in a terminal or a CI's log: it obeys nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.blueprint.render import render
from mlops_iac.blueprint.templates.applying import parse
from mlops_iac.errors import BlueprintInvalid
from mlops_iac.templates.facts import facts
from mlops_iac.templates.reference import reference
from tests.template_support import TEAM, read, template

OBEYED = {
    "escape": r"\e[2J",
    "one character for an escape": r"\x9b2J",
    "delete": r"\x7f",
    "a line of Unicode": r"\u2028",
    "text turned around": r"\u202e",
    "isolated text": r"\u2066",
}
PLACES = {
    "a description": 'description: "{}"\n',
    "a parameter's": 'parameters: {{p: {{description: "{}", default: x}}}}\n',
    "a choice": 'parameters: {{p: {{description: x, default: null, choices: ["{}"]}}}}\n',
    "a reason": 'limits: {{owner: {{required: true, because: "{}"}}}}\n',
    "a fixed value": 'limits: {{owner: {{fixed: "{}", because: x}}}}\n',
    "the path of a limit": 'limits: {{"tags.{}": {{required: true, because: x}}}}\n',
    "a changelog": 'changelog: {{2.1.0: ["{}"]}}\n',
    "a name": 'parameters: {{"{}": {{description: x, default: x}}}}\n',
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("what", OBEYED)
def test_what_a_terminal_obeys_is_refused(place: str, what: str) -> None:
    with pytest.raises(BlueprintInvalid) as caught:
        parse(template(PLACES[place].format(OBEYED[what])))
    found = caught.value.diagnostics
    assert "control-character" in {each.code for each in found}
    assert all(each.file.endswith("template.yaml") for each in found)
    assert all(character.isprintable() or character == "\n" for character in render(found))


@pytest.mark.parametrize("what", OBEYED)
def test_in_its_blueprint_too(tmp_path: Path, what: str) -> None:
    for text in (f'tags: {{"{OBEYED[what]}": x}}\n', f'tags: {{x: "{OBEYED[what]}"}}\n'):
        loaded, found = read(tmp_path, standard=template(blueprint=text))
        assert loaded is None
        assert "control-character" in {each.code for each in found}
        assert all(character.isprintable() or character == "\n" for character in render(found))


def test_a_text_of_several_lines_gives_no_command_to_a_log(tmp_path: Path) -> None:
    """`::error::` at the beginning of a line is one to GitHub's runner."""
    said = r"first\n::error::pwned\n::stop-commands::x"
    standard = template(
        f'description: "{said}"\n'
        f'parameters: {{p: {{description: "{said}", choices: ["{said}", b]}}}}\n'
        f'limits: {{owner: {{fixed: "{said}", because: "{said}"}}}}\n'
        f'changelog: {{2.1.0: ["{said}"]}}\n'
    )
    for given in ("{p: b}", "{p: c}", "{}"):
        text = TEAM.replace("{template: standard}", f"{{template: s, parameters: {given}}}")
        _, found = read(tmp_path, text, s=standard)
        assert found
        assert not [line for line in render(found).splitlines() if line.startswith("::")]
    told = facts(standard)
    page = reference(told).replace(told.description, "")
    assert not [line for line in page.splitlines() if line.startswith("::")]
