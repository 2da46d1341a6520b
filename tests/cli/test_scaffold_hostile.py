"""Scaffolds of strangers: what is refused, before anything is written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_iac.blueprint.templates.content import TemplateContent
from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.scaffold import sandbox
from mlops_iac.scaffold.rendering import DEFAULT_BLUEPRINT, rendered
from mlops_iac.scaffold.writing import written

VALUES = {"name": "late", "owner": "a@b.example", "platform": "sagemaker", "region": "eu-west-1"}
VALUES["extends"] = "  - template: acme"


def scaffold(files: dict[str, str | bytes], **values: object) -> dict[str, bytes]:
    """What a template with these files below `scaffold/` renders to."""
    content = {
        f"scaffold/{path}": text.encode() if isinstance(text, str) else text
        for path, text in files.items()
    }
    return rendered(TemplateContent("acme", "sha256:0", content), "acme@1.0.0", VALUES | values)


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("../x", "", "leaves its folder"),
        ("a/../../x", "", "leaves its folder"),
        ("/etc/cron.d/x", "", "is not relative"),
        ("C:/x", "", "has a colon"),
        ("a\\..\\x", "", "has a backslash"),
        (".git/hooks/pre-commit", "", "belongs to git"),
        ("a/.GIT/config", "", "belongs to git"),
        ("git~1/config", "", "can be the short name of another file"),
        ("a/MLOPS-~2/state", "", "can be the short name of another file"),
        ("a/ML3F2A~1.IAC/x", "", "can be the short name of another file"),
        (".git./config", "", "does not exist on every system"),
        (".git /config", "", "does not exist on every system"),
        (".git::$INDEX_ALLOCATION/config", "", "has a colon"),
        (".g\u200cit/config", "", "has a character that cannot be seen"),
        ("stacks/late/.mlops-iac.json", "", "belongs to mlops-iac"),
        ("a/{{ inner }}/program/json.py", ".mlops-iac", "belongs to mlops-iac"),
        (".mlops-iac/state/local.json", "", "belongs to mlops-iac"),
        (".MLOPS-IAC/x", "", "belongs to mlops-iac"),
        ("blueprint.lock", "", "is written by init itself"),
        ("Blueprint.LOCK", "", "is written by init itself"),
        ("a//b", "", "is not a plain path"),
        ("nul.txt", "", "does not exist on every system"),
        ("x\u202etxt", "", "has a character that cannot be seen"),
        ("{{ inner }}/x", "..", "leaves its folder"),
        ("{{ inner }}", "../../.bashrc", "leaves its folder"),
        ("{{ inner }}", "/etc/passwd", "is not relative"),
        ("{{ inner }}/config", ".git", "belongs to git"),
        ("{{ inner }}/x", "", "is not relative"),
        ("a/{{ inner }}.jinja", "..", "leaves its folder"),
        ("a{{ inner }}", "\n", "has a character that cannot be seen"),
    ],
)
def test_a_file_name_stays_in_the_project_also_when_it_is_rendered(
    path: str, value: str, why: str
) -> None:
    with pytest.raises(UsageError) as error:
        scaffold({path: "x"}, inner=value)
    assert why in error.value.message
    assert "the scaffold of acme@1.0.0 is refused" in error.value.message
    assert error.value.message.endswith("nothing was written")


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"a.txt": "", "A.txt": ""}, "are one file on some systems"),
        ({"data/a": "", "Data/b": ""}, "are one file on some systems"),
        ({"stra\u00dfe": "", "STRASSE": ""}, "are one file on some systems"),
        ({"\u00e9": "", "e\u0301": ""}, "are one file on some systems"),
        ({"{{ name }}": "", "late": ""}, "there are two of 'late'"),
        ({"late/x": "", "{{ name }}": ""}, "there are two of 'late'"),
        ({"{{ name }}": "", "late/x": ""}, "there are two of 'late'"),
        ({"a.md": "", "a.md.jinja": ""}, "there are two of 'a.md'"),
    ],
)
def test_no_file_is_another_one(files: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        scaffold(files)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "'__class__' of 'str' object is unsafe"),
        ("{{ ().__class__ }}", "is unsafe"),
        ("{{ name.__init__.__globals__ }}", "is unsafe"),
        ("{{ ''|attr('__class__') }}", "is unsafe"),
        ("{{ cycler.__init__.__globals__.os }}", "is unsafe"),
        ("{{ '{0.__class__}'.format(name) }}", "is unsafe"),
        ("{{ name.format.__self__ }}", "has no attribute .__self__."),
        ("{{ [].append(1) }}", "is unsafe"),
        ("{{ parameters.update({}) }}", "is unsafe"),
        ("{% for x in range(99999999) %}{% endfor %}", "Range too big"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "recursion"),
        ("{% for i in range(9999) %}{{ 'x' * 999 }}{% endfor %}", "more than 1 MiB"),
        ("{{ 'x' * 10**10 }}", "too much memory"),
        ("{{ '%9999999999d' % 1 }}", "too much memory"),
        ("{{ [name] * 10**10 }}", "too much memory"),
    ],
)
def test_no_expression_leaves_the_sandbox_or_takes_all(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as error:
        scaffold({"README.md.jinja": f"first\n{text}"}, parameters={})
    assert error.value.message.startswith("the scaffold of acme@1.0.0 ")
    assert "nothing was written" in error.value.message


def test_a_loop_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlops_iac.scaffold import rendering

    monkeypatch.setattr(rendering, "_SECONDS", 1)
    loops = "{% for a in range(9999) %}" * 4 + "{% endfor %}" * 4
    with pytest.raises(UsageError, match=r"does not end.*; nothing was written"):
        scaffold({"README.md.jinja": loops})


def test_the_process_itself_is_bounded() -> None:
    """Without our clock: the kernel ends it."""
    loops = "{% for a in range(9999) %}" * 4 + "{% endfor %}" * 4
    code = "from mlops_iac.scaffold import sandbox\nsandbox.SECONDS = 1\nsandbox.main()"
    request = json.dumps({"files": {"a.jinja": loops}, "values": {}})
    done = subprocess.run(
        [sys.executable, "-c", code], input=request.encode(), capture_output=True, timeout=60
    )
    assert done.returncode < 0
    assert done.stdout == b""


def test_many_files_are_too_much_together() -> None:
    files = {f"{n}.txt.jinja": "{{ 'x' * 1000000 }}" for n in range(9)}
    with pytest.raises(UsageError, match="more than 8 MiB"):
        scaffold(files)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a\n{{ nobody }}", r"scaffold/x\.jinja:2 names something .* 'nobody' is undefined"),
        ("{{ parameters.tier }}", r"no attribute 'tier'"),
        ("a\n\n{% for %}", r"scaffold/x\.jinja:3: TemplateSyntaxError"),
        ("{% include 'blueprint.yaml' %}", "no loader"),
        ("{{ name | random }}", "No filter named 'random'"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
    ],
)
def test_what_is_wrong_with_a_scaffold_is_told_with_its_line(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        scaffold({"x.jinja": text}, parameters={})


def test_a_name_is_an_expression_too() -> None:
    with pytest.raises(UsageError, match="is unsafe"):
        scaffold({"{{ ''.__class__ }}": ""})
    with pytest.raises(UsageError, match="'nobody' is undefined"):
        scaffold({"{{ nobody }}": ""})


def test_what_is_no_text_is_copied_and_never_rendered() -> None:
    binary = bytes(range(256)) + b"{{ nobody }}"
    made = scaffold({"logo.png": binary, "{{ name }}.bin": b"\x00"})
    assert made["logo.png"] == binary
    assert made["late.bin"] == b"\x00"
    with pytest.raises(UsageError, match=r"scaffold/a\.txt\.jinja is not UTF-8"):
        scaffold({"a.txt.jinja": b"\xff\xfe"})


def test_a_scaffold_may_be_laid_over_one_of_the_tool() -> None:
    made = scaffold({".from": "example-workload\n", "workload/train.py": "mine"})
    assert made["workload/train.py"] == b"mine"
    assert made["data/deliveries.csv"].startswith(b"vehicle,")
    assert made[".gitignore"].startswith(b".mlops-iac/")
    assert ".from" not in made
    for name in ("example-worklod", "../../etc", "/etc"):
        with pytest.raises(UsageError, match=r"scaffold/\.from names"):
            scaffold({".from": name})


def test_without_a_blueprint_there_is_one_that_extends_the_template() -> None:
    assert scaffold({})["blueprint.yaml"].decode().endswith("extends:\n  - template: acme\n")
    assert "{{ extends }}" in DEFAULT_BLUEPRINT


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_all_is_written_or_nothing(tmp_path: Path) -> None:
    target = tmp_path / "new" / "deep"
    with pytest.raises(RuntimeError), written(target, {"a": b"1", "b/c/d": b"2"}):
        assert files_below(target) == {"a", "b", "b/c", "b/c/d"}
        raise RuntimeError
    assert files_below(tmp_path) == set()


def test_what_was_there_stays_also_where_writing_fails_halfway(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").write_text("mine")
    (tmp_path / "x").write_text("a file where a folder is wanted")
    with pytest.raises(MlopsError), written(tmp_path, {"b/new": b"", "x/y": b""}):
        pass
    assert files_below(tmp_path) == {"b", "b/mine", "x"}


@pytest.mark.parametrize("name", ["a", "b/c"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match=f"already has {name}"), written(
        tmp_path, {"0": b"", name: b"theirs"}
    ):  # fmt: skip
        pass
    assert (tmp_path / name).read_text() == "mine"
    assert not (tmp_path / "0").exists()


def test_a_link_in_the_target_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    target = tmp_path / "new"
    target.mkdir()
    (target / "data").symlink_to(tmp_path / "outside")
    (target / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is a link"), written(target, {"data/x": b""}):
        pass
    with pytest.raises(UsageError, match="already has dangling"), written(
        target, {"dangling": b""}
    ):  # fmt: skip
        pass
    assert files_below(tmp_path / "outside") == set()
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "value",
    [
        "plain", "a: b", "- x", "{a}", "yes", "NULL", "1.20", "0123", "#x", "a #b", "", " x ", "it's",
        'say "x"', "two\nlines", "tab\t", "\u2028\x85\ufeff", "\U0001f600", "\x00\x1b", "!tag", "&a", "*a",
        "%", "@x", "`", "| x", "> x", "2026-11-21", "1e5", ".inf", "~", "a\\b", "{{ x }}",
    ],
)  # fmt: skip
def test_a_text_in_yaml_is_read_back_as_it_was(value: str) -> None:
    from mlops_iac.blueprint.compose import compose
    from mlops_iac.blueprint.scalars import core
    from mlops_iac.blueprint.source import Source

    text = sandbox.as_yaml(value)
    root, problems = compose(Source("x", f"key: {text}\nlist: {sandbox.as_yaml([value])}\n"))
    assert not problems
    assert core(root.entries["key"].value) == value
    assert core(root.entries["list"].value.items[0]) == value
    import yaml

    assert yaml.safe_load(f"key: {text}")["key"] == value
