"""Git read from its object database, in every form that a clone takes; and reviews against a ref."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mlops_iac.api import Project, load
from mlops_iac.api.core.repository import Repository
from mlops_iac.errors import BlueprintInvalid, UsageError
from mlops_iac.review.model import Review
from tests.sagemaker_blueprints import MINIMAL, write

STACKS = MINIMAL + "environments:\n  prod: {account: 210987654321}\n"


def git(folder: Path, *words: str) -> str:
    identity = [
        "-c",
        "user.name=t",
        "-c",
        "user.email=t@t.example",
        "-c",
        "init.defaultBranch=main",
    ]
    identity += ["-c", "protocol.file.allow=always", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, words: str) -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", words)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three commits of one file, a tag, a branch, all packed."""
    folder = tmp_path_factory.mktemp("origin") / "project"
    folder.mkdir()
    git(folder, "init", "-q")
    for number in (1, 2, 3):
        (folder / "inner").mkdir(exist_ok=True)
        (folder / "inner" / "file").write_text(f"{number}\n")
        commit(folder, f"c{number}")
    git(folder, "tag", "-a", "v1", "-m", "one")
    git(folder, "branch", "feature")
    git(folder, "pack-refs", "--all")
    git(folder, "gc", "-q")
    git(folder, "config", "uploadpack.allowfilter", "true")
    return folder


def read(folder: Path, ref: str) -> bytes | None:
    with Repository.around(folder) as repository:
        return repository.read(repository.commit(ref), "inner/file")


@pytest.mark.parametrize(
    ("ref", "content"),
    [
        ("HEAD", b"3\n"),
        ("HEAD~1", b"2\n"),
        ("HEAD^^", b"1\n"),
        ("v1~2", b"1\n"),
        ("feature", b"3\n"),
        ("refs/heads/feature", b"3\n"),
        ("main", b"3\n"),
    ],
)
def test_refs(origin: Path, ref: str, content: bytes) -> None:
    assert read(origin / "inner", ref) == content


def test_ids_whole_and_abbreviated(origin: Path) -> None:
    sha = git(origin, "rev-parse", "HEAD~1")
    assert read(origin, sha) == read(origin, sha[:8]) == b"2\n"


@pytest.mark.parametrize("kind", ["worktree", "alternates", "submodule", "plain"])
def test_clones(origin: Path, tmp_path: Path, kind: str) -> None:
    clone, ref = tmp_path / "clone", "origin/feature~1"
    match kind:
        case "worktree":
            git(origin, "worktree", "add", "-q", "--detach", str(clone))
            ref = "feature~1"
        case "alternates":
            git(tmp_path, "clone", "-q", "--shared", str(origin), str(clone))
        case "submodule":
            (tmp_path / "super").mkdir()
            git(tmp_path / "super", "init", "-q")
            git(tmp_path / "super", "submodule", "-q", "add", str(origin), "sub")
            clone = tmp_path / "super" / "sub"
        case _:
            git(tmp_path, "clone", "-q", str(origin), str(clone))
    assert read(clone, ref) == b"2\n"
    with Repository.around(clone / "inner") as repository:
        assert repository.root == clone.resolve()


def test_objects_named_by_sha256(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "file").write_text("1\n")
    commit(tmp_path, "one")
    assert read(tmp_path, "HEAD") == b"1\n"


def test_a_shallow_clone_says_how_to_get_more(origin: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth", "1", origin.as_uri(), str(clone))
    assert read(clone, "HEAD") == b"3\n"
    for ref in ("HEAD~1", "origin/feature", "v2"):
        with pytest.raises(UsageError) as error:
            read(clone, ref)
        assert "--unshallow" in error.value.hint, ref


def test_a_partial_clone_without_the_object(origin: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--no-checkout", origin.as_uri(), str(clone))
    with pytest.raises(UsageError, match="lacks a part of HEAD"):
        read(clone, "HEAD")


@pytest.mark.parametrize(
    ("ref", "words"),
    [
        ("nope", "no commit 'nope'"),
        ("origin/nope", "no commit 'origin/nope'"),
        ("0" * 40, "no commit"),
        ("", "is no ref"),
        ("--all", "is no ref"),
        ("HEAD@{1}", "is no ref"),
        ("HEAD:inner", "is no ref"),
        ("a..b", "is no ref"),
        ("HEAD~9", "beyond the first commit"),
        ("HEAD^2", "beyond the first commit"),
        ("HEAD~99999999", "more than"),
        ("caf\u00e9\x00", "no commit"),
    ],
)
def test_refs_that_are_none(origin: Path, ref: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as error:
        read(origin, ref)
    assert error.value.hint or "more than" in words


def test_outside_of_a_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not in a git repository"):
        Repository.around(tmp_path)


def test_an_export_leaves_links_out(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "a.py").write_text("1\n")
    (tmp_path / "code" / "link").symlink_to("/etc/hostname")
    commit(tmp_path, "one")
    with Repository.around(tmp_path) as repository:
        assert repository.export(repository.commit("HEAD"), "code", tmp_path / "out")
        assert not repository.export(repository.commit("HEAD"), "nothing", tmp_path / "out")
    assert [path.name for path in (tmp_path / "out" / "code").iterdir()] == ["a.py"]


# -- reviews


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A committed project with its locks; the working tree has one edit."""
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text(".mlops-iac\n")
    (tmp_path / "stacks").mkdir()
    load(write(tmp_path, STACKS)).compile()
    commit(tmp_path, "one")
    return load(write(tmp_path, STACKS.replace("real-time", "real-time, compute: {size: large}")))


def changed(review: Review) -> dict[str, str]:
    return {item.address: item.step.op for item in review.changes if item.step.custom}


ENLARGED = {
    "sagemaker.EndpointConfiguration/api-configuration": "replace",
    "sagemaker.Endpoint/api-endpoint": "update",
    "sagemaker.Pipeline/churn-training-pipeline": "update",
}


def test_against_the_lock_of_a_ref(project: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in (project.root / "stacks").rglob("*")}
    review = project.review("prod", "HEAD")
    assert review.against.startswith("the lock file at HEAD (")
    assert changed(review) == ENLARGED
    assert {c.place for item in review.changes for c in item.causes} == {
        f"{project.loaded.shown}:11 serving.api.compute"
    }
    assert review.notes == []
    assert review.tool_changes == []
    assert review.sha == git(project.root, "rev-parse", "HEAD")
    after = {path: path.stat().st_mtime_ns for path in (project.root / "stacks").rglob("*")}
    assert after == before
    saved = json.loads(json.dumps(review.to_json()))
    assert Review.from_json(saved).to_json() == saved


def test_against_the_lock_in_the_working_tree(project: Project) -> None:
    review = project.review("prod", "lock")
    assert changed(review) == ENLARGED
    assert all(item.causes for item in review.changes)
    project.compile()
    assert project.review("prod", "lock").changes == []
    # The lock is no longer HEAD's, so HEAD's blueprint is not what it was made from.
    again = load(write(project.root, STACKS))
    review = again.review("prod", "lock")
    assert changed(review) == ENLARGED
    assert not any(item.causes for item in review.changes if not item.follows)
    assert any("not the one at HEAD" in note for note in review.notes)


def test_a_stack_that_moves_leaves_everything_behind(project: Project) -> None:
    """Account and region are the provider's configuration: no resource's inputs tell it."""
    text = (project.root / "blueprint.yaml").read_text()
    moved = text.replace("eu-west-1", "eu-central-1").replace("210987654321", "210987654322")
    review = load(write(project.root, moved)).review("prod", "HEAD")
    told = [risk.words for risk in review.risks if risk.address == "pulumi.Stack/churn-prod"]
    assert [words.split(":")[0] for words in told] == [
        "the account goes from 210987654321 to 210987654322",
        "the region goes from eu-west-1 to eu-central-1",
    ]
    assert project.review("prod", "HEAD").risks[0].kind == "cost"


def test_a_ref_without_a_lock_is_captured_and_said_so(project: Project) -> None:
    git(project.root, "rm", "-rq", "--cached", "stacks")
    commit_without = git(project.root, "commit", "-q", "-m", "no locks")
    assert commit_without == ""
    review = project.review("prod", "HEAD")
    assert changed(review) == ENLARGED
    assert "captured by this version" in review.against
    assert any("none of its code was run" in note for note in review.notes)


def test_a_ref_without_the_project(project: Project) -> None:
    git(project.root, "checkout", "-q", "--orphan", "empty")
    git(project.root, "rm", "-rqf", "--cached", ".")
    git(project.root, "commit", "-q", "--allow-empty", "-m", "empty")
    review = project.review("prod", "empty")
    assert set(changed(review).values()) == {"create"}
    assert any("all of it is new" in note for note in review.notes)


def _commit_lock(project: Project, content: bytes) -> None:
    text = (project.root / "blueprint.yaml").read_text()
    (project.root / "stacks/churn/mlops-iac.prod.lock.json").write_bytes(content)
    commit(project.root, "a lock")
    (project.root / "blueprint.yaml").write_text(text)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "this is not JSON"),
        (b"<<<<<<< ours\n", "merge conflicts"),
        (b'{"format": 99}', "has format 99"),
        (b"[]", "is not a lock file"),
        (b"\xff\xfe", "this is not JSON"),
    ],
)
def test_damaged_and_newer_locks(project: Project, content: bytes, words: str) -> None:
    _commit_lock(project, content)
    with pytest.raises(UsageError, match=words) as error:
        project.review("prod", "HEAD")
    assert "at HEAD (" in error.value.message
    assert error.value.hint


def test_a_lock_of_another_version_tells_the_tool_s_changes_apart(project: Project) -> None:
    lock = project.root / "stacks/churn/mlops-iac.prod.lock.json"
    data = json.loads(lock.read_text())
    data["versions"]["mlops-iac"] = "0.0.1"
    (bucket,) = [each for each in data["resources"] if each["urn"].endswith("::data-data")][-1:]
    bucket["inputs"]["forceDestroy"] = True
    _commit_lock(project, json.dumps(data).encode())
    git(project.root, "checkout", "-q", "HEAD~1", "--", "blueprint.yaml")
    git(project.root, "commit", "-q", "--amend", "-m", "older tool")
    head = load(
        write(project.root, STACKS.replace("real-time", "real-time, compute: {size: large}"))
    )
    review = head.review("prod", "HEAD")
    assert changed(review) == ENLARGED
    (tool,) = review.tool_changes
    assert tool.address == "s3.Bucket/data-data"
    assert [(c.kind, c.path, c.old) for c in tool.causes] == [("tool", "mlops-iac", "0.0.1")]


def test_a_blueprint_that_is_not_valid_at_the_ref(project: Project) -> None:
    good = (project.root / "blueprint.yaml").read_text()
    (project.root / "blueprint.yaml").write_text("blueprint: 1\nnaem: churn\n")
    commit(project.root, "broken")
    (project.root / "blueprint.yaml").write_text(good)
    # With a lock the comparison stands; only the causes are unknown.
    review = project.review("prod", "HEAD")
    assert changed(review) == ENLARGED
    assert any("not known" in note for note in review.notes)
    git(project.root, "rm", "-rq", "--cached", "stacks")
    git(project.root, "commit", "-q", "-m", "no locks")
    with pytest.raises(BlueprintInvalid) as error:
        project.review("prod", "HEAD")
    assert "at HEAD (" in error.value.diagnostics[0].file


def test_local_has_nothing_but_its_state(project: Project) -> None:
    with pytest.raises(UsageError, match="local has no lock file"):
        project.review("local", "HEAD")
