"""A program in memory → a folder that is not ours alone."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlops_iac.errors import MlopsError, UsageError
from mlops_iac.program.build import Program
from mlops_iac.program.write import read_config, stale, write
from mlops_iac.values import Secret

MAIN = b'"""demo\n\nWritten by mlops-iac 0.1.0 from blueprint.yaml.\n"""\n'


def program(**changes: Any) -> Program:
    fields: dict[str, Any] = {
        "project": "demo",
        "files": {"__main__.py": MAIN, "Pulumi.yaml": b"name: demo\n", "p/x.json": b"{}"},
        "config": {
            "prod": {
                "aws:region": "eu-west-1",
                "aws:ids": ["0123"],
                "demo:api.max": 20,
                "demo:on": True,
            }
        },
        "optional": frozenset({"demo:version"}),
        "made_from": {},
        "paths": {},
    }
    return Program(**(fields | changes))


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_writing_twice_changes_nothing_the_second_time(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    first = write(program(), out)
    assert {path.relative_to(out).as_posix() for path in first} == {
        "Pulumi.prod.yaml",
        "Pulumi.yaml",
        "__main__.py",
        "p/x.json",
    }
    before = snapshot(out)
    assert write(program(), out) == []
    assert snapshot(out) == before
    assert stale(program(), out) == []


def test_every_scalar_of_the_stack_file_is_quoted(tmp_path: Path) -> None:
    write(program(), tmp_path)
    document = yaml.safe_load((tmp_path / "Pulumi.prod.yaml").read_text())
    assert document["config"] == {
        "aws:region": "eu-west-1",
        "aws:ids": ["0123"],
        "demo:api.max": "20",
        "demo:on": "true",
    }


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("__main__.py", b"edited", "__main__.py is not what the blueprint gives"),
        ("p/x.json", None, "p/x.json is missing"),
        ("Pulumi.prod.yaml", b"config:\n  aws:region: eu-west-2\n", "Pulumi.prod.yaml: "),
    ],
)
def test_stale_says_which_file_and_why(
    tmp_path: Path, file: str, content: bytes | None, reason: str
) -> None:
    write(program(), tmp_path)
    if content is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_bytes(content)
    (found,) = stale(program(), tmp_path)
    assert found.startswith(reason)


def test_what_pulumi_writes_itself_is_not_stale(tmp_path: Path) -> None:
    """`pulumi config set` sorts, unquotes and re-indents; the content is what counts."""
    write(program(), tmp_path)
    (tmp_path / "Pulumi.prod.yaml").write_text(
        "secretsprovider: passphrase\nencryptionsalt: v1:abc\nconfig:\n  demo:on: true\n"
        '  aws:ids:\n  - "0123"\n  demo:api.max: "20"\n  aws:region: eu-west-1\n'
    )
    assert stale(program(), tmp_path) == []
    assert write(program(), tmp_path) == []


def test_other_peoples_keys_and_comments_stay(tmp_path: Path) -> None:
    write(program(), tmp_path)
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(
        "encryptionsalt: v1:abc\n"
        "config:\n"
        "  # ours to choose\n"
        "  aws:profile: team  # for the laptop\n"
        "  demo:version: 7\n"
        "  demo:old: 1\n"
        "  other:key:\n"
        "    secure: v1:xyz\n"
        "  aws:region: eu-west-2\n"
    )
    assert write(program(), tmp_path) == [path]
    after = path.read_text()
    assert "# ours to choose" in after
    assert "# for the laptop" in after
    document = yaml.safe_load(after)
    assert document["encryptionsalt"] == "v1:abc"
    config = document["config"]
    assert config["aws:profile"] == "team"
    assert config["demo:version"] == 7  # optional, and we have no value for it
    assert config["other:key"] == {"secure": "v1:xyz"}
    assert "demo:old" not in config
    assert config["aws:region"] == "eu-west-1"
    assert config["demo:api.max"] == "20"
    assert write(program(), tmp_path) == []


def test_a_provider_key_is_removed_only_when_we_wrote_it(tmp_path: Path) -> None:
    write(program(), tmp_path)
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(path.read_text() + '  aws:profile: "team"\n')
    write(program(config={"prod": {"aws:region": "eu-west-1"}}), tmp_path)
    assert yaml.safe_load(path.read_text())["config"] == {
        "aws:region": "eu-west-1",
        "aws:profile": "team",
    }


def test_an_environment_that_is_gone_takes_its_file_unless_somebody_else_is_in_it(
    tmp_path: Path,
) -> None:
    both = program(config={"dev": {"demo:a": 1}, "prod": {"demo:a": 2}})
    write(both, tmp_path)
    prod = tmp_path / "Pulumi.prod.yaml"
    prod.write_text("encryptionsalt: v1:abc\n" + prod.read_text())
    write(program(config={}), tmp_path)
    assert not (tmp_path / "Pulumi.dev.yaml").exists()
    assert yaml.safe_load(prod.read_text()) == {"encryptionsalt": "v1:abc", "config": {}}


def test_left_over_files_go_and_edited_and_foreign_ones_stay(tmp_path: Path) -> None:
    files = {"a/one.json": b"1", "a/two.json": b"2", "__main__.py": MAIN}
    write(program(files=files), tmp_path)
    (tmp_path / "a" / "two.json").write_bytes(b"edited")
    (tmp_path / "notes.txt").write_text("mine")
    smaller = program(files={"__main__.py": MAIN})
    assert stale(smaller, tmp_path) == ["a/one.json is left over"]
    write(smaller, tmp_path)
    assert not (tmp_path / "a" / "one.json").exists()
    assert (tmp_path / "a" / "two.json").read_bytes() == b"edited"
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_somebody_elses_program_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import pulumi\n")
    before = snapshot(tmp_path)
    with pytest.raises(UsageError, match="was not written by mlops-iac"):
        write(program(), tmp_path)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("manifest", [None, "{", '{"format": 99}', '{"format": 1, "files": 3}'])
def test_a_lost_manifest_does_not_lock_us_out(tmp_path: Path, manifest: str | None) -> None:
    write(program(), tmp_path)
    if manifest is None:
        (tmp_path / ".mlops-iac.json").unlink()
    else:
        (tmp_path / ".mlops-iac.json").write_text(manifest)
    write(program(files={"__main__.py": MAIN, "p/x.json": b"[]"}), tmp_path)
    assert (tmp_path / "p" / "x.json").read_bytes() == b"[]"


def test_a_manifest_cannot_name_files_outside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(program(), out)
    victim = tmp_path / "victim"
    victim.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    manifest = out / ".mlops-iac.json"
    manifest.write_text(
        manifest.read_text().replace('"files": {', f'"files": {{"../victim": "{empty}",')
    )
    write(program(), out)
    assert victim.exists()


def test_a_link_where_a_file_is_staged_leads_to_nothing(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    out = tmp_path / "out"
    out.mkdir()
    for name in program().files:
        link = out / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.with_name(f".{link.name}.mlops-iac~").symlink_to(mine)
    write(program(), out)
    assert mine.read_text() == "mine"
    assert not [path for path in out.rglob("*") if path.is_symlink()]


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.ENOSPC, MlopsError, "disk is full"),
        (errno.EACCES, UsageError, "cannot be written"),
        (errno.EROFS, UsageError, "cannot be written"),
    ],
)
def test_a_write_that_fails_leaves_everything_as_it_was(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
    kind: type[MlopsError],
    words: str,
) -> None:
    from mlops_iac.program import write as module

    out = tmp_path / "out"
    write(program(), out)
    before = snapshot(out)
    staged = module._stage
    calls: list[Path] = []

    def failing(target: Path, content: bytes) -> Path:
        calls.append(target)
        if len(calls) > 2:
            raise OSError(number, "no", str(target))
        return staged(target, content)

    monkeypatch.setattr(module, "_stage", failing)
    files = {"__main__.py": MAIN + b"#", "new/a.json": b"1", "p/x.json": b"2"}
    with pytest.raises(kind, match=words) as caught:
        write(program(files=files), out)
    assert caught.value.exit_code == (1 if number == errno.ENOSPC else 2)
    assert snapshot(out) == before
    assert not (out / "new").exists()
    monkeypatch.undo()
    write(program(files=files), out)
    assert stale(program(files=files), out) == []


def test_a_folder_in_the_way_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        write(program(), tmp_path)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write(program(), file)


@pytest.mark.parametrize(
    ("text", "words"),
    [("config: [", "this is not YAML"), ("- a\n", "must be a mapping"), ("config: 3\n", "line 1")],
)
def test_a_broken_stack_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(text)
    with pytest.raises(UsageError, match=words) as caught:
        write(program(), tmp_path)
    assert "Pulumi.prod.yaml" in caught.value.message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Pulumi.prod.yaml"]


def test_the_configuration_is_read_back_with_secrets_marked(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.prod.yaml").write_text(
        "config:\n  aws:id: 0123\n  demo:l: [1, a]\n  demo:s:\n    secure: v1:x\n"
    )
    found = read_config(tmp_path, "prod")
    assert found == {"aws:id": "0123", "demo:l": [1, "a"], "demo:s": Secret({"secure": "v1:x"})}
    assert read_config(tmp_path, "dev") == {}


def test_an_archive_packed_by_another_zlib_is_not_stale(tmp_path: Path) -> None:
    files = {"__main__.py": MAIN, "code/a.tar.gz": b"packed one way"}
    write(program(files=files, made_from={"code/a.tar.gz": "digest"}), tmp_path)
    other = program(
        files={**files, "code/a.tar.gz": b"packed another way"},
        made_from={"code/a.tar.gz": "digest"},
    )
    assert stale(other, tmp_path) == []
    assert write(other, tmp_path) == []
    changed = replace(other, made_from={"code/a.tar.gz": "other digest"})
    assert stale(changed, tmp_path) == ["code/a.tar.gz is not what the blueprint gives"]


def test_a_lock_file_is_written_beside_and_checked(tmp_path: Path) -> None:
    lock = b'{"format": 1, "versions": {"pulumi": "1"}, "project": "demo", "stack": "prod",'
    tail = b'"resources": [], "outputs": {}}'
    name = "mlops-iac.prod.lock.json"
    write(program(), tmp_path, extra={name: lock + tail})
    newer = lock.replace(b'"1"', b'"2"') + tail
    assert stale(program(), tmp_path, extra={name: newer}) == []
    assert write(program(), tmp_path, extra={name: newer}) == []
    other = (lock + tail).replace(b'"outputs": {}', b'"outputs": {"a": 1}')
    assert stale(program(), tmp_path, extra={name: other}) == [
        f"{name} is not what the blueprint gives"
    ]
    assert stale(program(), tmp_path) == []


def test_a_kill_between_two_files_is_mended_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(program(), tmp_path)
    changed = {"__main__.py": MAIN + b"#", "new/a.json": b"1", "Pulumi.yaml": b"name: demo\n"}
    for survived in range(3):
        moves: list[Path] = []
        move = Path.replace

        def killed(
            self: Path,
            target: Path,
            *,
            moves: list[Path] = moves,
            survived: int = survived,
            move: Any = move,
        ) -> Path:
            if len(moves) == survived:
                raise KeyboardInterrupt
            moves.append(self)
            return move(self, target)  # type: ignore[no-any-return]

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", killed)
            with pytest.raises(KeyboardInterrupt):
                write(program(files={**changed, "new/a.json": str(survived).encode()}), tmp_path)
    write(program(files=changed), tmp_path)
    assert stale(program(files=changed), tmp_path) == []
    assert not list(tmp_path.rglob("*.mlops-iac~"))
    assert (tmp_path / "new" / "a.json").read_bytes() == b"1"
    assert not (tmp_path / "p").exists()


def test_stale_says_values_and_hides_those_that_are_named_like_secrets(tmp_path: Path) -> None:
    write(program(config={"prod": {"demo:max": 4, "demo:env.API_KEY": "hunter2"}}), tmp_path)
    other = program(config={"prod": {"demo:max": 5, "demo:env.API_KEY": "hunter3"}})
    (reason,) = stale(other, tmp_path)
    assert "demo:max is 4, must be 5" in reason
    assert "hunter" not in reason


@pytest.mark.parametrize("place", ["json.py", "pulumi_aws/__init__.py", "sitecustomize.pyc"])
def test_a_module_beside_the_program_is_stale_however_it_got_there(
    tmp_path: Path, place: str
) -> None:
    write(program(), tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "notes.md").touch()
    assert stale(program(), tmp_path) == []
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).touch()
    [reason] = stale(program(), tmp_path)
    assert reason.startswith(f"{place.split('/')[0]} is none of its files")
