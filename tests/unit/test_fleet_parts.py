"""Which files are blueprints, what two of them must not share, and how workers are kept."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from threading import Thread

import pytest

from mlops_iac.api.fleet import Identity, Outcome, Report, blueprints
from mlops_iac.api.fleet.conflicts import same_program, shared
from mlops_iac.api.fleet.jobs import Job
from mlops_iac.api.fleet.model import worst
from mlops_iac.api.fleet.worker import Limits
from mlops_iac.api.fleet.workers import Pool
from mlops_iac.errors import Diagnostic, UsageError
from mlops_iac.program.build import Program

YES = {
    "blueprint.yaml": "anything: 1",
    "a/blueprint.yml": "",
    "a/churn.blueprint.yaml": "",
    "a/other.yaml": "# a comment\nblueprint: 1\nname: x\n",
    "a/quoted.yml": '"blueprint": 1 # the version\n',
    "a/flow.yaml": "{blueprint: 1, name: x}",
    "a/marked.yaml": "\ufeffblueprint: 1\n",
    ".github/dotted.yaml": "blueprint: 1\n",
}
NO = {
    "a/values.yaml": "nested:\n  blueprint: 1\n",
    "a/later.yaml": "blueprint: 11\n",
    "a/text.md": "blueprint: 1\n",
    "a/blueprint.json": "{}",
    "stacks/x/blueprint.yaml": "",
    ".git/blueprint.yaml": "",
    "a/.mlops-iac/blueprint.yaml": "",
    "a/node_modules/m/blueprint.yaml": "",
    "env/lib/blueprint.yaml": "",
    "standard/blueprint.yaml": "",
    "standard/tests/deeper/blueprint.yaml": "",
}


def test_blueprints_are_found_by_name_and_content(tmp_path: Path) -> None:
    for name, text in {**YES, **NO, "env/pyvenv.cfg": "", "standard/template.yaml": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "blueprint.yaml")
    (tmp_path / "linked").symlink_to(tmp_path / "a")
    found = [path.relative_to(tmp_path).as_posix() for path in blueprints(tmp_path)]
    assert found == sorted(found, key=lambda each: Path(each).parts)
    assert set(found) == set(YES)
    with pytest.raises(UsageError, match="is no folder"):
        blueprints(tmp_path / "blueprint.yaml")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    for name in ("x.yaml", "blueprint.yaml"):
        os.mkfifo(tmp_path / name)
    found: list[list[Path]] = []
    looking = Thread(target=lambda: found.append(blueprints(tmp_path)), daemon=True)
    looking.start()
    looking.join(20)
    assert found == [[]]


def git(folder: Path, *words: str) -> None:
    words = ("-c", "user.name=t", "-c", "user.email=t@t", *words)
    own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment = {**own, "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True)


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("blueprint: 1\n", encoding="utf-8")


def names(folder: Path, unread: list[str] | None = None) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in blueprints(folder, unread)]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with copies that it ignores, a worktree inside, and a clone of another one."""
    one = tmp_path / "one"
    copies = [f"a/build/{n}/blueprint.yaml" for n in "wxyz"]
    write(one, "a/blueprint.yaml", "a/kept.yaml", *copies)
    (one / ".gitignore").write_text("build/\nkept.yaml\n", encoding="utf-8")
    git(one, "init", "-q")
    git(one, "add", ".")
    git(one, "add", "-f", "a/kept.yaml")
    git(one, "commit", "-qm", "x")
    git(one, "worktree", "add", "-q", "wt", "-b", "feature")
    write(one, "other/build/blueprint.yaml")
    git(one / "other", "init", "-q")
    return one


def test_copies_that_git_knows_of_are_left_out_and_told(checkout: Path) -> None:
    unread: list[str] = []
    mine = ["a/blueprint.yaml", "a/kept.yaml", "other/build/blueprint.yaml"]
    assert names(checkout, unread) == mine
    named = ", ".join(f"{checkout}/a/build/{n}/blueprint.yaml" for n in "wxy")
    assert unread == [
        f"{checkout / 'wt'} was left out: it is another worktree of {checkout}",
        f"{named} and 1 more left out: ignored by git",
    ]


def test_a_folder_that_is_asked_for_is_looked_into_whatever_git_says(checkout: Path) -> None:
    assert len(names(checkout / "a" / "build")) == 4
    assert names(checkout / "wt") == ["a/blueprint.yaml", "a/kept.yaml"]
    assert names(checkout / "a") == ["blueprint.yaml", "kept.yaml"]


def test_worktrees_of_a_bare_repository_are_checkouts(checkout: Path) -> None:
    bare = checkout.parent / "bare"
    git(checkout.parent, "clone", "-q", "--bare", str(checkout), "bare/.git")
    git(bare, "worktree", "add", "-q", "here")
    assert names(bare) == ["here/a/blueprint.yaml", "here/a/kept.yaml"]


def test_no_git_is_needed_to_know_what_git_ignores(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert len(names(checkout)) == 3


def identity(file: str, **changes: str) -> Identity:
    place = Diagnostic("", "", file=file, line=2, column=1)
    given = {"name": "churn", "stack": "prod", "account": "1", "region": "eu-west-1", "backend": ""}
    return Identity(**{**given, **changes}, place=place)


@pytest.mark.parametrize(
    ("left", "right", "severity"),
    [
        ({}, {}, "error"),
        ({"account": ""}, {"account": ""}, "error"),
        ({"backend": "s3://a"}, {"backend": "s3://b"}, "error"),
        ({}, {"account": "2"}, "warning"),
        ({}, {"region": "eu-west-2"}, "warning"),
        ({"backend": "s3://a"}, {"backend": "s3://a", "account": "2"}, "error"),
        ({"backend": "s3://a"}, {"backend": "s3://b", "account": "2"}, None),
        ({}, {"stack": "dev"}, None),
        ({}, {"name": "other"}, None),
    ],
)
def test_what_two_environments_share(
    left: dict[str, str], right: dict[str, str], severity: str | None
) -> None:
    found = shared([identity("a.yaml", **left), identity("b.yaml", **right)])
    assert [each.severity for each in found] == ([severity] if severity else [])
    for each in found:
        assert (each.file, each.line, each.column) == ("b.yaml", 2, 1)
        assert "a.yaml:2" in each.message


def test_a_blueprint_shares_nothing_with_itself_and_three_are_two_problems() -> None:
    assert shared([identity("a.yaml"), identity("a.yaml")]) == []
    assert len(shared([identity(f"{name}.yaml") for name in "abc"])) == 2


def test_programs_in_one_folder(tmp_path: Path) -> None:
    files = []
    for number, text in enumerate(("name: x", 'name: "x" # c', "name: y", "  name: x", "")):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(f"blueprint: 1\n{text}\n")
    found = same_program(files, lambda _, name: tmp_path / name)
    assert set(found) == set(files[:2])
    assert str(files[1]) in found[files[0]].message


def test_the_worst_exit_code() -> None:
    assert worst([]) == 0
    assert worst([0, 7, 5]) == 5
    assert worst([5, 2, 1]) == 2
    assert worst([2, 255, 0]) == 255
    problem = Diagnostic("shared-environment", "m")
    assert Report([Outcome("a", exit_code=7)], [problem]).exit_code == 2


class Tell(Job):
    """Tells which process it is; does what the file's name says."""

    def do(self, file: Path) -> Outcome | None:
        match file.name:
            case "skip":
                return None
            case "die":
                os._exit(7)
            case "sleep":
                time.sleep(60)
        return Outcome(file.as_posix(), state=str(os.getpid()))


def run(groups: list[list[str]], size: int = 1, **limits: float) -> tuple[list[Outcome], int]:
    # A worker is forked from the process of the tests, which may be of any size.
    with Pool(Tell(), size, Limits(**{"bytes": 1 << 50, **limits})) as pool:
        found = list(pool.run([[Path(name) for name in group] for group in groups]))
    return found, pool.started


def test_a_worker_does_many_and_is_replaced_after_enough() -> None:
    found, started = run([[str(number)] for number in range(10)])
    assert (len(found), started) == (10, 1)
    assert [each.turn for each in found] == list(range(10))
    assert all(each.peak_bytes > 1024 * 1024 for each in found)
    found, started = run([[str(number)] for number in range(10)], blueprints=3)
    assert started == 4
    assert [each.turn for each in found] == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0]
    found, started = run([["a", "b", "c", "d"]], blueprints=3)
    assert (started, [each.file for each in found]) == (2, ["a", "b", "c", "d"])
    found, started = run([["a"], ["b"]], bytes=1)
    assert started == 2


def test_what_a_dead_worker_left_is_done_by_another() -> None:
    found, started = run([["a", "die", "skip", "b"], ["c"]])
    assert started == 2
    by_file = {each.file: each for each in found}
    assert set(by_file) == {"a", "die", "b", "c"}
    (problem,) = by_file["die"].problems
    assert by_file["die"].exit_code == 1
    assert "exit code 7" in problem.message
    assert by_file["b"].state != by_file["a"].state


def test_what_never_ends_is_given_up() -> None:
    started = time.monotonic()
    found, _ = run([["sleep", "a"]], seconds=0.5)
    assert time.monotonic() - started < 20
    assert "no end to it within 0.5 seconds" in found[0].problems[0].message
    assert found[1].file == "a"


def test_leaving_early_ends_the_workers() -> None:
    with Pool(Tell(), 2) as pool:
        outcomes = pool.run([[Path("a")], [Path("sleep")]])
        next(outcomes)
        workers = [each.process for each in pool._workers]
    assert workers
    assert not any(process.is_alive() for process in workers)


def test_a_program_fits_another_folder_where_its_files_have_the_same_names(tmp_path: Path) -> None:
    data = str(tmp_path / "data" / "x.csv")
    program = Program("x", {}, {}, frozenset(), {}, {}, {data: "../../data/x.csv"})
    assert program.fits(tmp_path / "stacks" / "x")
    assert program.fits(tmp_path / ".mlops-iac" / "program")
    assert not program.fits(tmp_path / "stacks")
    assert not program.fits(tmp_path / "data" / "deep")
    assert Program("x", {}, {}, frozenset(), {}, {}).fits(tmp_path)
