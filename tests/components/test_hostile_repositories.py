"""A checkout is somebody else's: its configuration runs nothing, and names in it deceive nobody."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlops_iac.api import load
from mlops_iac.api.core import worktree
from mlops_iac.api.core.repository import Repository
from mlops_iac.api.deploy.saved_plans import preview_to_save
from mlops_iac.api.fleet.finding import blueprints
from mlops_iac.api.stacks.agreements import program_agreements
from mlops_iac.errors import UsageError
from mlops_iac.git_environment import for_programs
from tests.components.test_repository import commit, git
from tests.sagemaker_blueprints import MINIMAL, write

STACKS = MINIMAL + "environments:\n  prod: {account: 210987654321}\n"


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "ran"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    write(folder, STACKS)
    git(folder, "init", "-q")
    load(folder / "blueprint.yaml").compile()
    commit(folder, "base")
    return folder


def says(folder: Path, marker: Path) -> None:
    """Let everything that git could be made to run in a repository say that it ran."""
    script = folder.parent / "evil"
    script.write_text(f"#!/bin/sh\necho ran > {marker}\ncat\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "core.sshCommand"):
        git(folder, "config", key, str(script))
    (folder / ".gitattributes").write_text("* filter=evil\n")
    hooks = folder / (".git/hooks" if (folder / ".git").exists() else "hooks")
    hooks.mkdir(exist_ok=True)
    shutil.copy(script, hooks / "post-index-change")


def bare_like(project: Path, marker: Path) -> None:
    """Plain files in the project's folder that make git take it for a bare repository."""
    made = project.parent / "made"
    git(project.parent, "clone", "-q", "--bare", str(project), str(made))
    says(made, marker)
    git(made, "config", "core.bare", "false")
    git(made, "config", "core.worktree", ".")
    for name in ("HEAD", "config", "objects", "refs", "packed-refs", "index"):
        if (made / name).is_dir():
            shutil.copytree(made / name, project / name)
        elif (made / name).exists():
            shutil.copy(made / name, project / name)
    (project / "refs" / "heads").mkdir(exist_ok=True, parents=True)


def git_dir(project: Path, marker: Path) -> None:
    """A `.git` that came with the folder, as out of an archive."""
    says(project, marker)


@pytest.mark.parametrize("hostile", [bare_like, git_dir])
@pytest.mark.parametrize("asked", ["saved plan", "agreements", "fleet"])
def test_nothing_that_a_checkout_configures_is_run(
    project: Path, marker: Path, hostile: Callable[[Path, Path], None], asked: str
) -> None:
    hostile(project, marker)
    if hostile is bare_like:
        shutil.rmtree(project / ".git")
    for file in (project / "blueprint.yaml", *(project / "stacks").rglob("*.yaml")):
        os.utime(file, (1, 1))  # what git would have to look at
    loaded = load(project / "blueprint.yaml")
    match asked:
        case "saved plan":
            preview_to_save(loaded, "prod", against="lock", live=False, engine=None)
        case "agreements":
            program_agreements(loaded, project / "stacks" / loaded.name)
        case "fleet":
            assert blueprints(project)
    assert not marker.exists()


def test_the_marker_tells_when_git_is_asked(project: Path, marker: Path) -> None:
    says(project, marker)
    os.utime(project / "blueprint.yaml", (1, 1))
    subprocess.run(["git", "status"], cwd=project, check=True, capture_output=True)
    assert marker.exists()


def test_a_program_of_ours_that_asks_git_runs_none_of_it_either(
    project: Path, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "status.short")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    says(project, marker)
    (project / ".gitattributes").unlink()  # older ones run filters; see git_environment
    os.utime(project / "blueprint.yaml", (1, 1))
    asked = {**os.environ, **for_programs()}
    told = subprocess.run(
        ["git", "status"], cwd=project, check=True, capture_output=True, text=True, env=asked
    )
    assert not marker.exists()
    assert "On branch" not in told.stdout  # what the user configures so still counts


def test_plain_files_are_no_repository(project: Path, marker: Path) -> None:
    bare_like(project, marker)
    shutil.rmtree(project / ".git")
    with pytest.raises(UsageError, match="not in a git repository"):
        Repository.around(project)


@pytest.fixture
def three(tmp_path: Path) -> Iterator[tuple[Repository, list[str]]]:
    folder = tmp_path / "three"
    folder.mkdir()
    git(folder, "init", "-q")
    made = []
    for number in range(3):
        (folder / "file").write_text(str(number))
        made.append(commit(folder, f"c{number}"))
    with Repository.around(folder) as repository:
        yield repository, made


def branch(repository: Repository, name: str, sha: str) -> None:
    """git refuses some of these names; a server or a file does not."""
    path = repository.control / "refs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{sha}\n")


@pytest.mark.parametrize("kind", ["heads", "tags", "remotes"])
def test_a_full_id_is_that_commit_and_no_branch_of_that_name(
    three: tuple[Repository, list[str]], kind: str
) -> None:
    repository, (first, _, last) = three
    branch(repository, f"{kind}/{first}", last)
    assert repository.commit(first).sha == first
    missing = "0" * 40
    branch(repository, f"{kind}/{missing}", last)
    with pytest.raises(UsageError, match="there is no commit"):
        repository.commit(missing)


def test_an_object_under_another_ones_id_is_not_that_commit(
    three: tuple[Repository, list[str]],
) -> None:
    repository, (first, _, last) = three
    objects = repository.control / "objects"
    forged = objects / first[:2] / first[2:]
    forged.chmod(0o644)
    shutil.copy(objects / last[:2] / last[2:], forged)
    with pytest.raises(UsageError, match="there is no commit"):
        repository.commit(first)


@pytest.mark.parametrize(
    ("asked", "one", "other"),
    [
        ("origin/main", "tags/origin/main", "remotes/origin/main"),
        ("main", "tags/main", "heads/main"),
        ("abbreviated", "heads/abbreviated", ""),
    ],
)
def test_a_name_that_means_two_commits_means_none(
    three: tuple[Repository, list[str]], asked: str, one: str, other: str
) -> None:
    repository, (first, second, last) = three
    if asked == "abbreviated":
        asked = first[:12]
        one = f"heads/{asked}"
    branch(repository, one, last)
    if other:
        branch(repository, other, second)
    with pytest.raises(UsageError, match="different commits"):
        repository.commit(asked)
    assert repository.commit(f"refs/{one}").sha == last


def test_head_is_head_whatever_branches_are_called(three: tuple[Repository, list[str]]) -> None:
    repository, (first, _, last) = three
    branch(repository, "heads/HEAD", first)
    assert repository.commit("HEAD").sha == last
    assert repository.commit("HEAD~2").sha == first


@pytest.mark.parametrize(
    ("words", "write_it", "expected"),
    [
        ("another content", lambda file: file.write_bytes(b"b\n"), ["file"]),
        ("touched", lambda file: os.utime(file, (1, 1)), []),
        ("other line ends", lambda file: file.write_bytes(b"a\r\n"), []),
        ("gone", lambda file: file.unlink(), ["file"]),
    ],
)
def test_what_differs_from_a_commit(
    tmp_path: Path, words: str, write_it: Callable[[Path], None], expected: list[str]
) -> None:
    (tmp_path / "file").write_bytes(b"a\n")
    (tmp_path / "link").symlink_to("file")
    git(tmp_path, "init", "-q")
    commit(tmp_path, "c")
    write_it(tmp_path / "file")
    with Repository.around(tmp_path) as repository:
        head = repository.commit("HEAD")
        assert worktree.changed(repository, head, ".") == expected
    if "line ends" not in words:  # of which git is sure once it has written its index anew
        assert bool(git(tmp_path, "status", "--porcelain", "-uno")) == bool(expected)


def test_staged_added_and_replaced_files_differ_too(tmp_path: Path) -> None:
    for name in ("staged", "replaced", "same"):
        (tmp_path / name).write_text("a")
    git(tmp_path, "init", "-q")
    commit(tmp_path, "c")
    (tmp_path / "staged").write_text("b")
    (tmp_path / "added").write_text("b")
    git(tmp_path, "add", "staged", "added")
    (tmp_path / "staged").write_text("a")  # back in the working tree alone
    (tmp_path / "replaced").unlink()
    (tmp_path / "replaced").symlink_to("same")
    (tmp_path / "new").write_text("")
    (tmp_path / "ignored.log").write_text("")
    (tmp_path / ".gitignore").write_text("*.log\n")
    with Repository.around(tmp_path) as repository:
        head = repository.commit("HEAD")
        assert worktree.changed(repository, head, ".") == ["added", "replaced", "staged"]
        assert worktree.untracked(repository, ".") == [".gitignore", "new"]


def test_a_file_that_git_stores_as_a_pointer_is_as_committed(tmp_path: Path) -> None:
    import hashlib

    content = b"x" * 1000
    digest = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 1000\n"
    (tmp_path / "data").write_text(pointer)
    git(tmp_path, "init", "-q")
    commit(tmp_path, "c")
    (tmp_path / "data").write_bytes(content)
    with Repository.around(tmp_path) as repository:
        assert worktree.changed(repository, repository.commit("HEAD"), ".") == []
    (tmp_path / "data").write_bytes(content + b"y")
    with Repository.around(tmp_path) as repository:
        assert worktree.changed(repository, repository.commit("HEAD"), ".") == ["data"]


def test_a_tree_that_holds_itself_a_thousandfold_ends(tmp_path: Path) -> None:
    from dulwich.objects import Blob, Tree
    from dulwich.objects import Commit as GitCommit
    from dulwich.repo import Repo

    git(tmp_path, "init", "-q")
    repo = Repo(str(tmp_path))
    below = Blob.from_string(b"x")
    repo.object_store.add_object(below)
    mode = 0o100644
    for _ in range(8):
        tree = Tree()
        for number in range(16):
            tree.add(b"n%02d" % number, mode, below.id)
        repo.object_store.add_object(tree)
        below, mode = tree, 0o040000
    made = GitCommit()
    made.tree, made.message, made.encoding = below.id, b"x", b"utf-8"
    made.author = made.committer = b"t <t@t>"
    made.author_time = made.commit_time = made.author_timezone = made.commit_timezone = 0
    repo.object_store.add_object(made)
    repo.close()
    with Repository.around(tmp_path) as repository:
        head = repository.commit(made.id.decode())
        with pytest.raises(UsageError, match="more than 20000 files"):
            repository.export(head, ".", tmp_path / "out")


def test_a_tree_may_say_what_is_not_true_of_what_it_holds(tmp_path: Path) -> None:
    from dulwich.objects import Commit as GitCommit
    from dulwich.objects import Tree
    from dulwich.repo import Repo

    git(tmp_path, "init", "-q")
    repo = Repo(str(tmp_path))
    empty, top, git_like = Tree(), Tree(), Tree()
    git_like.add(b"config", 0o100644, empty.id)
    top.add(b"a-file-that-is-a-tree", 0o100644, empty.id)
    top.add(b".git", 0o040000, git_like.id)
    made = GitCommit()
    made.tree, made.message, made.encoding = top.id, b"x", b"utf-8"
    made.author = made.committer = b"t <t@t>"
    made.author_time = made.commit_time = made.author_timezone = made.commit_timezone = 0
    for each in (empty, top, git_like, made):
        repo.object_store.add_object(each)
    repo.close()
    with Repository.around(tmp_path) as repository:
        head = repository.commit(made.id.decode())
        assert repository.export(head, ".", tmp_path / "out")
        assert not repository.export(head, ".git", tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*"))


def test_a_submodule_that_was_not_fetched_is_not_no_rules(project: Path) -> None:
    (project / "policies").mkdir()
    with pytest.raises(UsageError, match="its rules are not here"):
        load(project / "blueprint.yaml").policies("prod")
