"""Templates in git repositories: versions, locks, caches, and what is refused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable, Wanted
from mlops_iac.errors import BlueprintInvalid
from mlops_iac.templates import cache
from mlops_iac.templates.finder import Finder
from mlops_iac.templates.found import manifest_of
from mlops_iac.templates.lockfile import Lock, Pin, read_lock, write_lock
from tests.cli.templates import Origin, Team, write_template


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_IAC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MLOPS_IAC_OFFLINE", raising=False)
    cache.forget()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    found = Origin(tmp_path_factory.mktemp("published") / "origin")
    for version in ("1.0.0", "2.0.0", "2.1.0", "2.10.0", "3.0.0-rc.1"):
        found.release(version)
    return found


@pytest.fixture
def origin(published: Origin, tmp_path: Path) -> Origin:
    return published.copied(tmp_path / "origin")


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def version(content: TemplateContent) -> str:
    found = manifest_of(content)
    assert found is not None
    return found.version


def refused(team: Team, source: str, wanted: str = "", **options: object) -> TemplateUnavailable:
    with pytest.raises(TemplateUnavailable) as caught:
        team.find(source, wanted, **options)
    assert caught.value.message.isprintable()
    return caught.value


# -- versions --------------------------------------------------------------------------------


def test_several_templates_in_one_repository(tmp_path: Path, team: Team) -> None:
    origin = Origin(tmp_path / "many")
    origin.release("1.0.0", "v9.0.0", under="a/standard")
    origin.release("1.1.0", "standard-v1.1.0", under="a/standard")
    origin.release("5.0.0", "other-v5.0.0", under="other", name="other")
    assert version(team.find(f"{origin.source}#subdirectory=a/standard")) == "1.1.0"
    assert version(team.find(f"{origin.source}#subdirectory=other", "^5")) == "5.0.0"
    assert team.finder().versions(f"{origin.source}#subdirectory=a/standard") == ["1.1.0"]


@pytest.mark.parametrize(("folder", "tag"), [("", "v1.0.0"), ("a/standard", "standard-v1.0.0")])
def test_a_repository_without_versions(tmp_path: Path, team: Team, folder: str, tag: str) -> None:
    origin = Origin(tmp_path / "none")
    origin.release("1.0.0", "1.0.0", under=folder)
    error = refused(team, f"{origin.source}#subdirectory={folder}" if folder else origin.source)
    assert "no version at all" in error.message
    assert error.hint == f"its publisher has to tag a commit: {tag}"


def test_without_git_it_is_told(
    origin: Origin, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.compile(origin.source, "^2")
    monkeypatch.setenv("PATH", "/nowhere")
    assert version(team.find(origin.source, "^2")) == "2.10.0"  # what is pinned needs none
    error = refused(team, origin.source, "^3")
    assert error.code == "template-unreachable"
    assert "there is no `git` on PATH" in error.message


def test_a_version_that_is_not_there(origin: Origin, team: Team) -> None:
    error = refused(team, origin.source, "^7")
    assert error.code == "template-no-version"
    assert "no version that fits '^7'" in error.message
    assert "3.0.0-rc.1, 2.10.0, 2.1.0, 2.0.0 and 1.0.0" in error.message


@pytest.mark.parametrize("wanted", ["latest", "main", "^", "2.1"])
def test_what_is_no_version(origin: Origin, team: Team, wanted: str) -> None:
    assert refused(team, origin.source, wanted).code == "template-version"


@pytest.mark.parametrize(("folder", "meant"), [("", "NAME"), ("templates/standart", "standard")])
def test_a_repository_whose_versions_are_of_other_folders(
    tmp_path: Path, team: Team, folder: str, meant: str
) -> None:
    origin = Origin(tmp_path / "several")
    origin.release("1.0.0", "standard-v1.0.0", under="templates/standard")
    origin.release("2.0.0", "base-v2.0.0", under="templates/base", name="base")
    error = refused(team, f"{origin.source}#subdirectory={folder}" if folder else origin.source)
    assert error.code == "template-no-version"
    assert error.hint is not None
    assert "e.g. base-v2.0.0 and standard-v1.0.0: write #subdirectory=FOLDER/" in error.hint
    assert error.hint.endswith(f"FOLDER/{meant}")


def test_a_tag_that_holds_another_version(origin: Origin, team: Team) -> None:
    origin.release("2.10.0", "v2.11.0")
    error = refused(team, origin.source)
    assert error.code == "template-wrong-version"
    assert "acme/standard@2.10.0" in error.message


def test_a_folder_that_is_not_there(origin: Origin, team: Team) -> None:
    origin.release("3.0.0", "nowhere-v3.0.0", under="deep/other")
    wanted = f"{origin.source}#subdirectory=nowhere"
    error = refused(team, wanted, "3.0.0")
    assert error.code == "template-missing"
    assert "no folder 'nowhere'" in error.message
    other = f"{origin.source}#subdirectory=deep/other"
    assert error.hint == f"write {origin.source} or {other}"


# -- the lock --------------------------------------------------------------------------------
def test_a_pin_is_taken_although_there_is_something_newer(origin: Origin, team: Team) -> None:
    first = team.compile(origin.source, "^2")
    origin.release("2.11.0")
    finder = team.finder()
    content = finder.find(Wanted(source=origin.source, version="^2"))
    assert (version(content), content) == ("2.10.0", first)
    assert (finder.notes, finder.stale) == ([], [])
    assert finder.pins() == read_lock(team.lock)


def test_a_pin_is_found_without_the_repository(origin: Origin, team: Team) -> None:
    team.compile(origin.source, "^2")
    shutil.rmtree(origin.folder)
    shutil.rmtree(cache.cache_folder() / "git")
    assert version(team.find(origin.source, "^2")) == "2.10.0"


def test_a_pin_that_no_longer_fits_is_resolved_and_told(origin: Origin, team: Team) -> None:
    team.compile(origin.source, "~2.1")
    finder = team.finder()
    assert version(finder.find(Wanted(source=origin.source, version="^2.2"))) == "2.10.0"
    assert finder.notes == [
        (
            f"acme/standard@2.10.0 ({origin.source}) takes the place of 2.1.0, which blueprint.lock"
            " pins: `mlops-iac template update` shows what that does and runs its migrations,"
            " `mlops-iac compile` only writes it"
        )
    ]
    assert finder.stale == ["acme/standard is 2.1.0 in it and would be 2.10.0"]


def test_a_pin_that_still_fits_stays_though_the_request_changed(origin: Origin, team: Team) -> None:
    team.compile(origin.source, "~2.1")
    finder = team.finder()
    assert version(finder.find(Wanted(source=origin.source, version="^2"))) == "2.1.0"
    assert finder.stale == ["acme/standard is asked for as '^2', and as '~2.1' in it"]


def test_without_a_lock_it_is_told(origin: Origin, team: Team) -> None:
    finder = team.finder()
    finder.find(Wanted(source=origin.source, version="^2"))
    assert "there is no blueprint.lock" in finder.notes[0]
    assert finder.stale == ["there is no blueprint.lock"]
    assert not team.lock.exists()


def test_an_update_moves_the_pin(origin: Origin, team: Team) -> None:
    team.compile(origin.source, "^2")
    origin.release("2.11.0")
    assert version(team.find(origin.source, "^2", update={origin.source: ""})) == "2.11.0"
    assert version(team.find(origin.source, "^2", update={"*": ""})) == "2.11.0"
    assert version(team.find(origin.source, "^2", update={origin.source: "2.0.0"})) == "2.0.0"
    assert version(team.find(origin.source, "^2", update={"elsewhere": ""})) == "2.10.0"


def test_a_moved_tag_is_an_error_that_names_both_digests(origin: Origin, team: Team) -> None:
    before = team.compile(origin.source, "^2")
    origin.release("2.10.0", body="x")
    assert team.find(origin.source, "^2") == before  # from the cache
    shutil.rmtree(cache.cache_folder())
    after = Team(team.folder.parent / "other").find(origin.source, "^2")
    error = refused(team, origin.source, "^2")
    assert error.code == "template-changed"
    assert before.digest in error.message
    assert after.digest in error.message
    update = refused(team, origin.source, "^2", update={"*": ""})
    assert update.code == "template-changed"


def test_a_locked_version_that_is_gone(origin: Origin, team: Team) -> None:
    team.compile(origin.source, "^2")
    shutil.rmtree(cache.cache_folder())
    origin.git("tag", "--delete", "v2.10.0")
    error = refused(team, origin.source, "^2")
    assert error.code == "template-no-version"
    assert "'2.10.0'" in error.message


def test_a_lock_that_was_edited_is_refused(origin: Origin, team: Team) -> None:
    team.compile(origin.source, "^2")
    team.lock.write_text(team.lock.read_text().replace("2.10.0", "2.1.0"))
    with pytest.raises(BlueprintInvalid, match="edited by hand"):
        team.finder()


def forge(team: Team, **changed: str) -> None:
    """The lock with other words in its last pin, and an integrity that fits them."""
    lock = read_lock(team.lock)
    assert lock is not None
    *rest, pin = lock.pins
    values = {name: getattr(pin, name) for name in pin.__match_args__}
    write_lock(team.lock, Lock((*rest, Pin(**{**values, **changed}))))


def test_a_lock_cannot_name_the_content_of_another_source(
    origin: Origin, team: Team, tmp_path: Path
) -> None:
    """Contents are kept by digest, and a digest does not say whose they are."""
    own = team.find(str(write_template(tmp_path / "own", "2.10.0", body="-mine")))
    genuine = team.compile(origin.source, "^2")
    forge(team, digest=own.digest)
    with pytest.raises(TemplateUnavailable) as caught:
        team.find(origin.source, "^2")
    assert caught.value.code == "template-changed"
    assert own.digest in caught.value.message
    assert genuine.digest in caught.value.message


@pytest.mark.parametrize("changed", [{"version": "2.1.0"}, {"name": "acme/other"}])
def test_a_lock_says_what_it_pins(origin: Origin, team: Team, changed: dict[str, str]) -> None:
    team.compile(origin.source, "^2")
    forge(team, **changed)
    with pytest.raises(TemplateUnavailable) as caught:
        team.find(origin.source, "^2")
    assert caught.value.code == "lock-edited"
    assert "acme/standard@2.10.0" in caught.value.message


def test_a_lock_cannot_name_another_commit(tmp_path: Path, team: Team) -> None:
    """What a template stands on is that of its commit, an older one is not had by the lock."""
    origin = stacked(tmp_path / "stacked")
    source = f"{origin.source}#subdirectory=standard"
    weak = team.compile(source)
    write_template(origin.folder / "base", "1.1.0", name="acme/base", body="-stricter")
    origin.release(
        "2.1.0", "standard-v2.1.0", under="standard", extends="extends: [{template: ../base}]\n"
    )
    genuine = team.compile(source, "^2.1")
    forge(team, commit=weak.commit)
    found = team.find(source, "^2.1")
    assert (version(found), found.commit) == ("2.1.0", genuine.commit)
    base = team.finder().find(Wanted(source="../base", parent=found))
    assert version(base) == "1.1.0"


# -- templates of templates --------------------------------------------------------------------
def stacked(folder: Path) -> Origin:
    origin = Origin(folder)
    write_template(origin.folder / "base", "1.0.0", name="acme/base")
    origin.release(
        "2.0.0", "standard-v2.0.0", under="standard", extends="extends: [{template: ../base}]\n"
    )
    return origin


def test_what_stands_beside_a_template_is_of_the_same_commit(tmp_path: Path, team: Team) -> None:
    origin = stacked(tmp_path / "stacked")
    source = f"{origin.source}#subdirectory=standard"
    finder = team.finder()
    standard = finder.find(Wanted(source=source))
    write_template(origin.folder / "base", "1.1.0", name="acme/base")
    origin.commit("later")
    base = finder.find(Wanted(source="../base", version="^1", parent=standard))
    assert base.source == f"{origin.source}#subdirectory=base"
    assert (version(base), base.commit) == ("1.0.0", standard.commit)
    assert [pin.by for pin in finder.pins().pins] == ["", "acme/standard@2.0.0"]


def test_a_whole_stack_comes_from_lock_and_cache(
    tmp_path: Path, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = stacked(tmp_path / "stacked")
    source = f"{origin.source}#subdirectory=standard"

    def both(finder: Finder) -> list[TemplateContent]:
        standard = finder.find(Wanted(source=source))
        return [standard, finder.find(Wanted(source="../base", version="^1", parent=standard))]

    first = team.finder()
    contents = both(first)
    write_lock(team.lock, first.pins())
    shutil.rmtree(origin.folder)
    shutil.rmtree(cache.cache_folder() / "git")
    monkeypatch.setenv("MLOPS_IAC_OFFLINE", "1")
    second = team.finder()
    assert both(second) == contents
    assert second.stale == []


@pytest.mark.parametrize("relative", ["../../up", "..", "../..", "../../../etc"])
def test_a_template_cannot_leave_its_repository(tmp_path: Path, team: Team, relative: str) -> None:
    origin = stacked(tmp_path / "stacked")
    finder = team.finder()
    standard = finder.find(Wanted(source=f"{origin.source}#subdirectory=standard"))
    with pytest.raises(TemplateUnavailable) as caught:
        finder.find(Wanted(source=relative, parent=standard))
    assert caught.value.code in ("template-escape", "template-missing")


def test_a_template_from_elsewhere_names_nothing_of_this_machine(
    origin: Origin, team: Team, tmp_path: Path
) -> None:
    finder = team.finder()
    standard = finder.find(Wanted(source=origin.source))
    write_template(tmp_path / "mine", "1.0.0")
    with pytest.raises(TemplateUnavailable) as caught:
        finder.find(Wanted(source=str(tmp_path / "mine"), parent=standard))
    assert caught.value.code == "template-escape"


# -- hostile repositories -----------------------------------------------------------------------
def manifest_line(origin: Origin) -> str:
    text = b"template: 1\nname: acme/standard\nversion: 9.0.0\ndescription: d\n"
    return f"100644 blob {origin.blob(text)}\ttemplate.yaml"


def hostile(origin: Origin, kind: str) -> list[str]:
    blob = origin.blob(b"x")

    def tree(line: str) -> str:
        return origin.git("mktree", given=line.encode())

    def nested(times: int, width: int) -> str:
        found = tree(f"100644 blob {blob}\tx")
        for _ in range(times):
            found = tree("\n".join(f"040000 tree {found}\td{number}" for number in range(width)))
        return found

    match kind:
        case "link":
            return [f"120000 blob {origin.blob(b'/etc/passwd')}\tlink"]
        case "submodule":
            return [f"160000 commit {'1' * 40}\tsub"]
        case "up" | "case of git":
            return [f"040000 tree {nested(0, 0)}\t{'..' if kind == 'up' else '.GIT'}"]
        case "backslash":
            return [f"100644 blob {blob}\ta\\b"]
        case "twins":
            return [f"100644 blob {blob}\ta", f"100644 blob {blob}\tA"]
        case "large":
            return [f"100644 blob {origin.blob(b'x' * (2**20 + 1))}\tlarge"]
        case "many":
            return [f"100644 blob {blob}\tf{number}" for number in range(2000)]
        case "heavy":
            heavy = origin.blob(bytes(2**20))
            return [f"100644 blob {heavy}\tf{number}" for number in range(17)]
        case "escape":
            return [f"100644 blob {blob}\ta\x1b[2J"]
        case "bomb":
            return [f"040000 tree {nested(9, 10)}\tbomb"]
        case _:
            return [f"040000 tree {nested(40, 1)}\tdeep"]


@pytest.mark.parametrize(
    "kind",
    ["link", "submodule", "up", "backslash", "twins", "large", "many", "heavy", "escape",
     "case of git", "bomb", "deep"],
)  # fmt: skip
def test_hostile_trees_are_refused_and_nothing_is_kept(
    origin: Origin, team: Team, kind: str
) -> None:
    origin.tree(manifest_line(origin), *hostile(origin, kind), tag="v9.0.0")
    error = refused(team, origin.source, "9.0.0")
    assert error.code == "template-refused", error.message
    assert not list((cache.cache_folder() / "templates").glob("sha256-*"))


def test_a_repository_without_a_manifest_is_no_template(origin: Origin, team: Team) -> None:
    origin.tree(f"100644 blob {origin.blob(b'x')}\treadme", tag="v9.0.0")
    error = refused(team, origin.source, "9.0.0")
    assert error.code == "template-missing"
    assert error.hint == "name the folder that holds template.yaml"


def test_a_repository_of_several_templates_says_where_they_are(tmp_path: Path, team: Team) -> None:
    shelf = Origin(tmp_path / "shelf")
    for name in ("batch", "online", "standard", "zoo"):
        shelf.release("9.0.0", f"v9.0.0-{name}", under=f"templates/{name}")
    shelf.commit("v9.0.0")
    error = refused(team, shelf.source, "9.0.0")
    assert error.code == "template-missing"
    begin = f"{shelf.source}#subdirectory=templates/"
    assert error.hint == f"write {begin}batch, {begin}online, {begin}standard or 1 more"


@pytest.mark.parametrize(
    "written", ["{}#templates/online", "{}#path=templates/online", "{}//templates/online"]
)
def test_a_folder_is_written_as_a_subdirectory(origin: Origin, team: Team, written: str) -> None:
    """As other tools write it."""
    error = refused(team, written.format(origin.source))
    assert error.code == "template-source"
    # A long folder of this run's leaves no room for all of it.
    wanted = f"write {origin.source}#subdirectory=templates/online"
    assert wanted.startswith(error.hint.removesuffix("…"))
    assert "#subdirectory=" in error.hint


def test_a_hook_of_this_machine_does_not_run(
    origin: Origin, team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("reference-transaction", "post-checkout"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (hooks / name).chmod(0o755)
    (tmp_path / "config").write_text(f"[core]\n\thooksPath = {hooks}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "not-this-one"))
    assert version(team.find(origin.source)) == "2.10.0"
    assert not (tmp_path / "ran").exists()


# -- unreachable ----------------------------------------------------------------------------------


def test_an_unreachable_source_says_what_the_lock_is_good_for(origin: Origin, team: Team) -> None:
    team.compile(origin.source, "^2")
    shutil.rmtree(cache.cache_folder())
    shutil.rmtree(origin.folder)
    error = refused(team, origin.source, "^2")
    assert error.code == "template-unreachable"
    assert "2.10.0, which is pinned, needs no network once it is cached" in error.hint


# -- offline and caches ---------------------------------------------------------------------------
def test_offline_nothing_is_asked(
    origin: Origin, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.compile(origin.source, "^2")
    monkeypatch.setenv("MLOPS_IAC_OFFLINE", "1")
    monkeypatch.setenv("PATH", "/nowhere")
    assert version(team.find(origin.source, "^2")) == "2.10.0"
    assert refused(team, origin.source, "^3").code == "template-offline"
    shutil.rmtree(cache.cache_folder())
    assert refused(team, origin.source, "^2").code == "template-offline"


@pytest.mark.parametrize("damage", ["changed", "cut", "more", "less", "linked"])
def test_a_damaged_cache_is_fetched_again_or_offline_told(
    origin: Origin, team: Team, damage: str
) -> None:
    content = team.compile(origin.source, "^2")
    entry = cache.cache_folder() / "templates" / content.digest.replace(":", "-")
    file = entry / "blueprint.yaml"
    if damage == "changed":
        file.write_text("owner: evil@acme.com\n")
    elif damage == "cut":
        file.write_bytes(b"")
    elif damage == "more":
        (entry / "policies.yaml").write_text("x")
    else:
        file.unlink()
        if damage == "linked":
            file.symlink_to("/etc/passwd")
    error = refused(team, origin.source, "^2", offline=True)
    assert error.code == "template-offline"
    assert team.find(origin.source, "^2") == content
    assert team.find(origin.source, "^2", offline=True) == content


def test_a_damaged_repository_is_fetched_again(origin: Origin, team: Team) -> None:
    content = team.compile(origin.source, "^2")
    for pack in (cache.cache_folder() / "git").rglob("*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:50])
    for loose in (cache.cache_folder() / "git").glob("*/objects/??/*"):
        loose.chmod(0o600)
        loose.write_bytes(b"")
    shutil.rmtree(cache.cache_folder() / "templates")
    assert team.find(origin.source, "^2") == content


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(
    origin: Origin, team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLOPS_IAC_CACHE", str(tmp_path / "file"))
    assert version(team.find(origin.source)) == "2.10.0"


FETCH = """
import sys
from mlops_iac.blueprint.templates.content import Wanted
from mlops_iac.templates.finder import Finder
print(Finder(sys.argv[1]).find(Wanted(source=sys.argv[2])).digest)
"""


def start(team: Team, source: str, code: str = FETCH) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, str(team.blueprint), source],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )


def test_two_processes_fetch_at_once(origin: Origin, team: Team) -> None:
    running = [start(team, origin.source) for _ in range(4)]
    answers = [process.communicate(timeout=60) for process in running]
    assert [process.returncode for process in running] == [0] * 4, answers
    assert len({out for out, _ in answers}) == 1
    left = [item.name for item in (cache.cache_folder() / "templates").iterdir()]
    assert left == [answers[0][0].strip().replace(":", "-")]


KILLED = (
    """
import os, signal
from pathlib import Path
write = Path.write_bytes
def killed(self, data):
    write(self, data[:3])
    os.kill(os.getpid(), signal.SIGKILL)
Path.write_bytes = killed
"""
    + FETCH
)


def test_a_process_killed_while_it_writes_leaves_nothing_that_is_taken(
    origin: Origin, team: Team
) -> None:
    process = start(team, origin.source, KILLED)
    process.communicate(timeout=60)
    assert process.returncode == -9
    folder = cache.cache_folder() / "templates"
    (half,) = folder.iterdir()
    assert half.name.startswith(".new-")
    content = team.find(origin.source)
    assert version(content) == "2.10.0"
    assert (folder / content.digest.replace(":", "-")).is_dir()
    old = time.time() - 3 * 24 * 3600
    os.utime(half, (old, old))
    team.find(origin.source, "^1")
    assert not half.exists()
