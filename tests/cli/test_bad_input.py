"""Bad blueprints and bad words, through the command: where it is, what is wrong, what would work.

A row is a sentence: what is done to the example's blueprint, and what the answer has to say.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops_iac.cli._app import run
from tests.cli.harness import copy_example

Change = Callable[[str], str]


def for_(old: str, new: str) -> Change:
    """One text for another, which must stand there exactly once."""

    def change(text: str) -> str:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the blueprint"
        return text.replace(old, new)

    return change


def all_of(new: str) -> Change:
    return lambda _text: new


def end_with(new: str) -> Change:
    return lambda text: text + new


SCALING = "scaling: {min: 1, max: 4, target: {requests_per_minute: 200}}"
BOMB = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)
)

ROWS: dict[str, tuple[Change, tuple[str, ...]]] = {
    "an unknown key": (
        for_("    monitor:\n", "    monitr:\n"),
        (":47:5: error[unknown-key]", "'monitr' is not a field of serving.api", "'monitor'?"),
    ),
    "an unknown section": (
        end_with("servng: {}\n"),
        (":70:1: error[unknown-key]", "'servng' is not a section", "did you mean 'serving'?"),
    ),
    "a word for a number": (
        for_("min: 1, max: 4", "min: one, max: 4"),
        (":44:20: error[wrong-type]", "serving.api.scaling.min takes a whole number, not 'one'"),
    ),
    "yes for a number": (
        for_("timeout_minutes: 60", "timeout_minutes: yes"),
        (":31:24: error[wrong-type]", "takes a whole number, not 'yes'"),
    ),
    "a list for a mapping": (
        for_(SCALING, "scaling: [1, 4]"),
        (":44:14: error[wrong-type]", "serving.api.scaling takes a mapping, not a list"),
    ),
    "a number that is not finite": (
        for_("{at_least: 0.75}", "{at_least: .nan}"),
        (":35:36: error[wrong-type]", "it must be finite"),
    ),
    "a misspelt region": (
        for_("region: eu-west-1", "region: eu-wst-1"),
        (":10:9: error[unknown-region]", "did you mean 'eu-west-1'?"),
    ),
    "another cloud's region": (
        for_("region: eu-west-1", "region: westeurope"),
        (":10:9: error[unknown-region]", "'westeurope'", "there is: af-south-1"),
    ),
    "a misspelt instance type": (
        for_("    compute: {size: medium}\n", "    compute: {instance: ml.m5.hugee}\n"),
        (":43:25: error[unknown-instance]", "'ml.m5.hugee'", "did you mean 'ml.m5.large'?"),
    ),
    "a misspelt size": (
        for_("    compute: {size: medium}\n", "    compute: {size: mediun}\n"),
        (":43:21: error[unknown-value]", "'medium'?", "allowed: small, medium, large"),
    ),
    "an hour that does not exist": (
        for_('"0 3 * * 1"', '"0 25 * * 1"'),
        (":37:25: error[bad-cron]", "'25' is not an hour, 0 to 23"),
    ),
    "words for a cron schedule": (
        for_('"0 3 * * 1"', "every monday"),
        (":37:25: error[bad-cron]", "2 fields, not 5", 'e.g. "0 3 * * 1"'),
    ),
    "a day that never comes": (
        for_('"0 3 * * 1"', '"0 3 31 2 *"'),
        (":37:25: error[cron-never-fires]", "no month named has such a day"),
    ),
    "a name too long": (
        for_("name: schedule-adherence", "name: " + "a" * 40),
        (":5:7: error[name-too-long]", "has 40 characters", "at most 32"),
    ),
    "illegal characters in a name": (
        for_("name: schedule-adherence", "name: Schedule_Adherence!"),
        (":5:7: error[illegal-name]", "did you mean 'schedule-adherence'?"),
    ),
    "a control character": (
        for_("Does this", "Does\x01this"),
        (":6:18: error[control-character]", "U+0001"),
    ),
    "a negative count": (
        for_("min: 1, max: 4", "min: -1, max: 4"),
        (":44:20: error[out-of-range]", "must be at least 0, not -1"),
    ),
    "a minimum above the maximum": (
        for_("min: 1, max: 4", "min: 5, max: 4"),
        (":44:20: error[contradiction]", "is 5 and so above max, 4"),
    ),
    "a number too large": (
        for_("timeout_minutes: 60", "timeout_minutes: 99999999999999999999999"),
        (":31:24: error[out-of-range]", "at most"),
    ),
    "a dataset that is missing": (
        for_("datasets: [schedules]\n    metrics", "datasets: [schedule]\n    metrics"),
        (":25:16: error[unknown-reference]", "no dataset 'schedule'", "'schedules'?"),
    ),
    "a model that is missing": (
        for_("    model: adherence\n", "    model: adherance\n"),
        (":42:12: error[unknown-reference]", "no model 'adherance'", "'adherence'?"),
    ),
    "a gate on a metric that nothing computes": (
        for_("gates: {accuracy:", "gates: {acuracy:"),
        (":35:15: error[unknown-metric]", "nothing computes 'acuracy'", "'accuracy'?"),
    ),
    "an overlay of an unknown section": (
        end_with("    servng: {api: {}}\n"),
        (":70:5: error[unknown-key]", "(in prod)", "did you mean 'serving'?"),
    ),
    "an overlay of an unknown field": (
        for_("scaling: {min: 2, max: 20}", "scalng: {min: 2, max: 20}"),
        (":67:9: error[unknown-key]", "serving.api (in prod)", "'scaling'?"),
    ),
    "an overlay of an unknown model": (
        for_(
            "models: {adherence: {promote_from: dev}}", "models: {adherense: {promote_from: dev}}"
        ),
        (":61:14: error[unknown-entry]", "did you mean 'adherence'?"),
    ),
    "a promotion in a circle": (
        for_("promote_from: dev", "promote_from: prod"),
        ("error[promotion-cycle]", "staging → prod → staging"),
    ),
    "YAML that is a list": (all_of("- a\n- b\n"), (":1:1: error[not-a-mapping]", "`blueprint: 1`")),
    "YAML that is one word": (all_of("hello\n"), (":1:1: error[not-a-mapping]",)),
    "an empty file": (all_of(""), (":1:1: error[not-a-mapping]", "this is empty")),
    "a duplicate section": (
        end_with("name: again\n"),
        (":70:1: error[duplicate-key]", "the first is in line 5"),
    ),
    "a duplicate key": (
        for_("{min: 1, max: 4,", "{min: 1, min: 1, max: 4,"),
        (":44:23: error[duplicate-key]", "remove one"),
    ),
    "anchors that expand without end": (
        end_with(BOMB),
        ("error[too-large]", "anchors expand to more than 100,000 values"),
    ),
    "an anchor that contains itself": (
        end_with("tags: &a [*a]\n"),
        ("error[recursive-anchor]", "anchor '&a' contains itself"),
    ),
    "an anchor that is nowhere": (
        for_("timezone: Europe/Amsterdam", "timezone: *nope"),
        (":11:11: error[unknown-anchor]", "no anchor '&nope' above"),
    ),
    "nesting without end": (
        all_of("a: " + "[" * 3000 + "]" * 3000),
        ("error[too-deep]", "nested deeper than 50 levels"),
    ),
    "a tab for indentation": (
        for_("  schedules:\n", "\tschedules:\n"),
        (":14:1: error[syntax]", "use spaces"),
    ),
    "a bracket that stays open": (
        for_("{cost-centre: 4711}", "{cost-centre: 4711"),
        ("error[syntax]", "close the bracket"),
    ),
    "two documents": (end_with("---\nblueprint: 1\n"), (":70:1: error[several-documents]",)),
    "a tag that would run code": (
        for_("timezone: Europe/Amsterdam", "timezone: !!python/object/apply:os.system [id]"),
        (":11:11: error[tag]", "not part of the language"),
    ),
    "another version of the language": (
        for_("blueprint: 1", "blueprint: 2"),
        (":4:12: error[unknown-value]", "allowed: 1"),
    ),
    "a field that is missing": (
        for_("region: eu-west-1\n", ""),
        (":4:1: error[missing]", "needs 'region'"),
    ),
    "a misspelt platform": (
        for_("platform: sagemaker", "platform: sagemakr"),
        (":9:11: error[unknown-value]", "did you mean 'sagemaker'?"),
    ),
    "a script that is missing": (
        for_("prepare.py", "prepar.py"),
        (":27:23: error[missing-file]", "'workload/prepar.py'", "'prepare.py'?"),
    ),
    "data that are missing": (
        for_("data/schedule_management.csv", "data/schedule_managment.csv"),
        (":15:13: error[missing-file]", "did you mean 'schedule_management.csv'?"),
    ),
    "a time zone that is none": (
        for_("Europe/Amsterdam", "Europe/Amsterdan"),
        (":11:11: error[unknown-timezone]", "did you mean 'Europe/Amsterdam'?"),
    ),
    "an address that is none": (
        for_("email: oncall@acme.example", "email: nobody"),
        (":51:26: error[bad-email]", "e.g. oncall@acme.com"),
    ),
    "an account that is short": (
        for_("account: 210987654321", "account: 21098765432"),
        (":63:14: error[wrong-account]", "twelve digits"),
    ),
    "a framework without an image": (
        for_("scikit-learn, version: 1.9", "scikit-learn, version: 9.9"),
        (":24:49: error[no-image]", "one of 0.20.0"),
    ),
    "a variable that is none": (
        for_("owner: analytics@acme.example", "owner: ${OWNER}"),
        (":7:8: error[substitution]", "there is: ${name}"),
    ),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_example(tmp_path_factory.mktemp("bad") / "project")


@pytest.fixture(scope="module")
def good(folder: Path) -> str:
    return (folder / "blueprint.yaml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _inside(folder: Path, good: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NO_COLOR", "1")
    (folder / "blueprint.yaml").write_text(good, encoding="utf-8")


@pytest.mark.parametrize("row", ROWS)
def test_validate_says_where_what_and_what_would_work(
    row: str, folder: Path, good: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change, expected = ROWS[row]
    (folder / "blueprint.yaml").write_text(change(good), encoding="utf-8")
    code = run(["validate"])
    said = capsys.readouterr()
    assert code == 2
    assert said.out == ""
    assert "Traceback" not in said.err
    assert [words for words in expected if words not in said.err] == []
    assert [line for line in said.err.splitlines() if len(line) > 700] == []


@pytest.mark.parametrize(
    "command", [["compile"], ["preview"], ["up", "--yes"], ["run"], ["status"], ["graph"]]
)
def test_no_command_does_anything_with_a_bad_blueprint(
    command: list[str], folder: Path, good: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change, expected = ROWS["a gate on a metric that nothing computes"]
    (folder / "blueprint.yaml").write_text(change(good), encoding="utf-8")
    before = sorted(folder.rglob("*"))
    assert run(command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert [words for words in expected if words not in said.err] == []
    assert sorted(folder.rglob("*")) == before
    assert run([*command, "--json"]) == 2
    [problem] = json.loads(capsys.readouterr().out)["diagnostics"]
    assert (problem["code"], problem["line"], problem["column"]) == ("unknown-metric", 35, 15)


def test_every_problem_is_told_in_one_pass(
    folder: Path, good: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = ("an unknown key", "a negative count", "an hour that does not exist")
    text = good
    for row in rows:
        text = ROWS[row][0](text)
    (folder / "blueprint.yaml").write_text(text, encoding="utf-8")
    assert run(["validate", "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert {item["code"] for item in answer["diagnostics"]} == {
        "unknown-key",
        "out-of-range",
        "bad-cron",
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"name: \xff\xfe\n", "is not UTF-8: byte 0xff in line 1"),
        (b"ok: 1\nname: \xe9t\xe9\n", "is not UTF-8: byte 0xe9 in line 2"),
        ("blueprint: 1\n".encode("utf-16"), "is UTF-16, not UTF-8"),
    ],
)
def test_a_file_that_is_not_utf8(
    folder: Path, content: bytes, expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "blueprint.yaml").write_bytes(content)
    assert run(["validate"]) == 2
    said = capsys.readouterr()
    assert expected in said.err
    assert "save it as UTF-8" in said.err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["validate", "-f", "nope.yaml"], ("no file 'nope.yaml'", "there is", "--file")),
        (["validate", "-f", "workload"], ("'workload' is a folder",)),
        (["validate", "-C", "nope"], ("-C nope: No such file",)),
        (["explain", "serving.api.scalng"], ("no field 'serving.api.scalng'", "did you mean")),
        (["preview", "--live"], ("local is emulated, never live",)),
        (["preview", "--against", "lock"], ("local is emulated and has no lock file",)),
        (["preview", "-s", "prod", "--against", "state"], ("--live",)),
        (["up", "-s", "prod", "--engine", "embedded"], ("deploys local only",)),
        (["run", "nope"], ("no trained model 'nope'", "there is: adherence")),
        (["run", "-s", "prod"], ("for local and rehearsals (--emulated) only",)),
        (["models", "approve"], ("needs MODEL VERSION",)),
        (["graph", "--out", "nope/x.svg"], ("cannot write nope/x.svg",)),
        (["outputs", "nope"], ("no output 'nope'", "`mlops-iac up`")),
        (["init", "--data", "color=red", "new"], ("KEY=VALUE with one of name",)),
    ],
    ids=" ".join,
)
def test_words_that_make_no_sense_together(
    words: list[str], expected: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert [word for word in expected if word not in said.err] == []
    assert "internal error" not in said.err


@pytest.fixture
def lock(folder: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    shutil.rmtree(folder / "stacks", ignore_errors=True)
    assert run(["compile", "--quiet"]) == 0
    capsys.readouterr()
    return folder / "stacks" / "schedule-adherence" / "mlops-iac.prod.lock.json"


def test_locks_that_cannot_be_read(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = lock.read_text(encoding="utf-8")
    damaged = {
        "{": "not JSON",
        "[]": "is not a lock file",
        "\udcff": "not JSON",
        content[: len(content) // 2]: "not JSON",
        content.replace('"format": 1', '"format": 9', 1): "has format 9",
        "<<<<<<< ours\n" + content: "merge conflicts",
    }
    for text, expected in damaged.items():
        lock.write_bytes(text.encode("utf-8", "surrogateescape"))
        assert run(["preview", "-s", "prod"]) == 2, text[:20]
        said = capsys.readouterr()
        assert expected in said.err
        assert "mlops-iac.prod.lock.json" in said.err
        assert said.out == ""
    lock.write_text(content, encoding="utf-8")
    assert run(["preview", "-s", "prod", "--expect-no-changes"]) == 0


def test_a_lock_tells_the_changed_word_inside_a_policy(
    lock: Path, folder: Path, good: str, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = for_("account: 210987654321", "account: 211987654321")(good)
    (folder / "blueprint.yaml").write_text(changed, encoding="utf-8")
    assert run(["preview", "-s", "prod", "--expect-no-changes"]) == 7
    said = capsys.readouterr()
    assert (
        'policy.Statement[0].Principal.AWS: "arn:aws:iam::210987654321:root" → '
        '"arn:aws:iam::211987654321:root"' in said.out
    )
    assert "{\\" not in said.out
    assert "where none were expected" in said.err
    # dev trains what prod serves, so its data are opened to that account; staging has no part in it.
    assert run(["preview", "-s", "dev", "--expect-no-changes"]) == 7
    assert run(["compile", "--check"]) == 1
    assert "mlops-iac.prod.lock.json is not what the blueprint gives" in capsys.readouterr().err
    lock.unlink()
    assert run(["preview", "-s", "prod"]) == 0
    assert "there is no lock file yet" in capsys.readouterr().err
