"""`mlops-iac eject`: the program goes on without the package, and copies are their user's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_iac.errors import UsageError
from mlops_iac.program.build import Program
from mlops_iac.program.ejected import RUN, Ejected, eject, read_ejected
from mlops_iac.program.write import write
from tests.cli.harness import EXAMPLE, Cli, copy_example, environment
from tests.cli.killing import every_kill
from tests.components.test_repository import git

NAME = EXAMPLE.name
KEYS = f"stacks/{NAME}/components/keys.py"
ALONE = """\
import importlib.abc, os, runpy, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] == "mlops_iac":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
import pulumi
from pulumi.runtime import settings, stack, sync_await

class Cloud(pulumi.runtime.Mocks):
    def new_resource(self, args):
        given = {"arn": f"arn:aws:s3:::{args.name}", **args.inputs}
        seen.append(args.typ)
        return args.name, given

    def call(self, args):
        return {"accountId": "012345678901", "region": "eu-west-1", "partition": "aws", "json": "{}",
                "dnsSuffix": "amazonaws.com", "id": "x", "name": "eu-west-1"}

seen = []
pulumi.runtime.set_mocks(Cloud(), project=sys.argv[1], stack="dev", preview=True)
pulumi.runtime.set_all_config({
    key: value if isinstance(value, str) else __import__("json").dumps(value)
    for key, value in __import__("yaml").safe_load(open("Pulumi.dev.yaml"))["config"].items()
})
settings.set_root_resource(None)
async def main():
    runpy.run_path(os.getcwd(), run_name="__main__")
sync_await._sync_await(stack.run_in_stack(main))
assert "mlops_iac" not in sys.modules
print(len(seen))
"""


@pytest.fixture(scope="module")
def ejected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, compiled, ejected as a whole, and committed."""
    folder = copy_example(tmp_path_factory.mktemp("ejected") / "project")
    (folder / "stacks").mkdir()
    (folder / ".gitignore").write_text(".mlops-iac\n")
    cli = Cli(folder, environment())
    cli("compile", "-q")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "compiled")
    cli("eject", "--all", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "ejected")
    return folder


@pytest.fixture
def cli(ejected: Path, tmp_path: Path) -> Cli:
    folder = tmp_path / "project"
    shutil.copytree(ejected, folder, ignore=shutil.ignore_patterns(".mlops-iac"))
    return Cli(folder, {**environment(), RUN: "1"})


def edit(folder: Path, old: str, new: str) -> None:
    path = folder / KEYS
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_all_of_it_leaves_locks_and_resources_as_they_are(cli: Cli) -> None:
    changed = git(cli.folder, "diff", "--name-only", "HEAD~1").splitlines()
    program = f"stacks/{NAME}"
    assert {path for path in changed if not path.startswith(f"{program}/components/")} == {
        f"{program}/{name}"
        for name in (".mlops-iac.json", "README.md", "__main__.py", "requirements.txt")
    }
    assert "mlops-iac" not in (cli.folder / program / "requirements.txt").read_text()
    assert cli("compile", "--check").err.strip() == "fresh"
    cli("preview", "-s", "prod", "--expect-no-changes")
    assert "nothing changed" in cli("eject", "--all").err


def test_an_edited_copy_of_a_stranger_runs_for_nobody_who_did_not_say_so(cli: Cli) -> None:
    marker = cli.folder.parent / "ran"
    path = cli.folder / KEYS
    path.write_text(f"{path.read_text(encoding='utf-8')}\nopen({str(marker)!r}, 'w')\n")
    for command in (
        ("preview",),
        ("preview", "-s", "prod"),
        ("compile",),
        ("graph",),
        ("up", "--yes"),
    ):
        said = cli(*command, expect=2, **{RUN: "0"}).err
        assert "keys.py are not what mlops-iac" in said
        assert f"export {RUN}=1" in said
    assert not marker.exists()
    cli("preview", "-s", "prod")
    assert marker.exists()


def test_the_program_runs_where_the_package_is_not(cli: Cli) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, NAME], cwd=cli.folder / "stacks" / NAME,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


def test_what_is_changed_in_a_copy_counts_and_stays(cli: Cli) -> None:
    edit(cli.folder, "enable_key_rotation=True", "enable_key_rotation=False")
    before = (cli.folder / KEYS).read_bytes()
    found = cli("preview", "-s", "prod", "--against", "HEAD", "--json").json["review"]
    told = {
        each["address"]: each["words"] for each in found["risks"] if each["kind"] == "own-rules"
    }
    assert set(told) == {KEYS} and "an ejected component, which is code, changed" in told[KEYS]
    cli("preview", "-s", "prod", "--against", "lock", "--expect-no-changes", expect=7)
    cli("compile", "-q")
    assert (cli.folder / KEYS).read_bytes() == before
    assert '"enableKeyRotation": false' in (
        cli.folder / "stacks" / NAME / "mlops-iac.prod.lock.json"
    ).read_text(encoding="utf-8")
    cli("compile", "--check")
    refused = cli("eject", "--undo", expect=2)
    assert "keys.py was changed by hand" in refused.err


def test_the_old_side_of_a_comparison_runs_with_the_copies_too(cli: Cli) -> None:
    """Without a lock the ref's blueprint is captured: what differs is not what the copies say."""
    edit(cli.folder, "enable_key_rotation=True", "enable_key_rotation=False")
    cli("compile", "-q")
    git(cli.folder, "rm", "-q", "--cached", "-r", f"stacks/{NAME}/mlops-iac.prod.lock.json")
    git(cli.folder, "commit", "-q", "-m", "no lock")
    path = cli.folder / "blueprint.yaml"
    path.write_text(path.read_text().replace("max: 20", "max: 30"))
    found = cli("preview", "-s", "prod", "--against", "HEAD", "--json").json
    assert found["changeSummary"]["update"] == 1, found["changeSummary"]


def test_a_forks_copy_never_runs_and_is_told(cli: Cli, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    git(cli.folder, "checkout", "-q", "-b", "fork")
    path = cli.folder / KEYS
    path.write_text(path.read_text() + f"\nopen({str(marker)!r}, 'w').close()\n")
    git(cli.folder, "commit", "-q", "-a", "-m", "fork")
    git(cli.folder, "checkout", "-q", "main")
    answer = cli("preview", "-s", "prod", "--fork", "fork", "--json").json
    told = [each for each in answer["review"]["risks"] if each["kind"] == "own-rules"]
    assert [each["address"] for each in told] == [KEYS]
    assert "what the base says judged this" in told[0]["words"]
    assert not marker.exists()


def test_another_version_of_the_package_is_told_and_is_no_error(cli: Cli) -> None:
    path = cli.folder / "stacks" / NAME / ".mlops-iac.json"
    manifest = json.loads(path.read_text())
    manifest["ejected"]["components/keys.py"] |= {"version": "0.0.9", "sha256": "0" * 64}
    path.write_text(json.dumps(manifest))
    assert "note: ejected from mlops-iac 0.0.9" in cli("compile").err
    (cli.folder / KEYS).unlink()
    for words in (("compile",), ("compile", "--check"), ("preview",)):
        assert "was ejected and is missing" in cli(*words, expect=2).err
    cli("eject", "Keys")
    assert "note:" not in cli("compile").err


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_anywhere_it_is_nothing_or_told_and_ejecting_again_completes_it(
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"

    def main(found: Ejected) -> bytes:
        beside = "components." if found.copies else "mlops_iac.clouds.aws.components."
        return f"from {beside}budget import Budget\n".encode()

    def compiled(found: Ejected) -> None:
        files = {"__main__.py": main(found), **found.contents}
        write(Program("demo", files, {}, frozenset(), {}, {}, ejected=found), out)

    def ejecting() -> None:
        compiled(eject(out, ["mlops_iac.clouds.aws.components.budget"]))

    def reset() -> None:
        shutil.rmtree(out, ignore_errors=True)
        compiled(Ejected())

    kinds = []
    for _ in every_kill(ejecting, reset):
        try:
            found = read_ejected(out)
            compiled(found)
            assert (out / "__main__.py").read_bytes() == main(found)
            kinds.append("whole" if found.copies else "nothing")
        except UsageError as error:
            assert "was ejected and is missing" in error.message
            kinds.append("told")
        ejecting()
        assert read_ejected(out).copies
        assert not list(out.rglob("*~"))
    assert list(dict.fromkeys(kinds)) == ["nothing", "told", "whole"]


def test_undoing_it_gives_the_program_that_was_there(cli: Cli) -> None:
    cli("eject", "--undo")
    git(cli.folder, "add", "-A")
    assert git(cli.folder, "diff", "--cached", "--name-only", "HEAD~1") == ""
