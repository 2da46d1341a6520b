"""What a user's environment and configuration of git does to templates: nothing, or what it says."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable
from tests.cli import git_servers as servers
from tests.cli.harness import Cli
from tests.cli.template_sources import commit, git, publish, team
from tests.cli.templates import Origin, Team


@pytest.fixture(autouse=True)
def _user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.new_user(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    found = Origin(tmp_path_factory.mktemp("published") / "origin")
    for version in ("1.0.0", "2.0.0"):
        found.release(version)
    return found


@pytest.fixture
def origin(published: Origin, tmp_path: Path) -> Origin:
    return published.copied(tmp_path / "origin")


def fetched(tmp_path: Path, source: str) -> TemplateContent:
    """What a team finds that has nothing yet."""
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    shutil.rmtree(tmp_path / "team", ignore_errors=True)
    return Team(tmp_path / "team").find(source)


def configure(tmp_path: Path, **settings: str) -> None:
    found = {key.replace("__", "."): value for key, value in settings.items()}
    servers.configuration(tmp_path / "home" / ".gitconfig", found)


# -- the configuration -----------------------------------------------------------------------
# What runs something, what makes repositories or files others, and what is about another repository.
SETTINGS = {
    "runs": {
        "core.attributesFile": "{home}/attributes",
        "core.hooksPath": "{home}/hooks",
        "core.fsmonitor": "{home}/hooks/post-checkout",
        "init.templateDir": "{home}/template",
        "gc.auto": "1",
        "tag.gpgSign": "true",
    },
    "makes": {
        "core.autocrlf": "true",
        "core.eol": "crlf",
        "init.defaultObjectFormat": "sha256",
        "init.defaultRefFormat": "reftable",
        "core.quotePath": "true",
        "core.logAllRefUpdates": "always",
        "color.ui": "always",
        "protocol.version": "0",
    },
    "fetches": {
        "protocol.file.allow": "never",
        "protocol.allow": "never",
        "safe.bareRepository": "explicit",
        "fetch.prune": "true",
        "fetch.pruneTags": "true",
        "fetch.fsckObjects": "true",
        "fetch.writeCommitGraph": "true",
        "fetch.recurseSubmodules": "true",
        "fetch.unpackLimit": "1",
        "transfer.fsckObjects": "true",
        "remote.origin.url": "/nowhere",
        "core.bare": "false",
        "core.worktree": "/nowhere",
    },
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_settings_change_nothing(origin: Origin, tmp_path: Path, kind: str) -> None:
    before = fetched(tmp_path, origin.source)
    home = tmp_path / "home"
    (home / "attributes").write_text("* text=auto eol=crlf\n*.yaml filter=spoil\n")
    for folder in (home / "hooks", home / "template" / "hooks"):
        folder.mkdir(parents=True)
        for name in ("reference-transaction", "post-checkout", "post-update"):
            (folder / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
            (folder / name).chmod(0o755)
    own = {key: value.format(home=home) for key, value in SETTINGS[kind].items()}
    configure(tmp_path, **{"filter.spoil.smudge": "false", **own})
    assert fetched(tmp_path, origin.source) == before
    assert not (tmp_path / "ran").exists()


def test_another_url_of_the_configuration_is_taken(origin: Origin, tmp_path: Path) -> None:
    wanted = origin.git("rev-parse", "v2.0.0")
    configure(tmp_path, **{f"url.file://{origin.folder}.insteadOf": "https://git.acme.example/x"})
    assert fetched(tmp_path, "git+https://git.acme.example/x").commit == wanted


def test_a_protocol_that_is_not_offered_is_not_come_by(origin: Origin, tmp_path: Path) -> None:
    configure(tmp_path, **{"url.git://git.acme.example/.insteadOf": "https://git.acme.example/"})
    with pytest.raises(TemplateUnavailable, match="another protocol") as caught:
        fetched(tmp_path, "git+https://git.acme.example/x")
    assert "insteadOf" in caught.value.hint


def test_who_forbids_a_protocol_is_heard(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "https:ssh")
    with pytest.raises(TemplateUnavailable, match="another protocol"):
        fetched(tmp_path, origin.source)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give away"
)
def test_a_repository_of_somebody_else_is_told_with_the_fix(origin: Origin, tmp_path: Path) -> None:
    for path in [origin.folder, *origin.folder.rglob("*")]:
        os.chown(path, 65534, 65534)
    with pytest.raises(TemplateUnavailable, match="dubious ownership") as caught:
        fetched(tmp_path, origin.source)
    assert "safe.directory" in caught.value.hint
    configure(tmp_path, **{"safe.directory": "*"})
    assert fetched(tmp_path, origin.source).commit


def test_the_settings_of_the_repository_around_do_not_count(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would for the list of tags and not for what is fetched."""
    around = Origin(tmp_path / "around")
    around.git("config", f"url.file://{tmp_path}/nowhere.insteadOf", f"file://{origin.folder}")
    monkeypatch.chdir(around.folder)
    assert fetched(tmp_path, origin.source).commit == origin.git("rev-parse", "v2.0.0")


# -- the environment -------------------------------------------------------------------------
VARIABLES = {
    "GIT_DIR": "{other}/.git",
    "GIT_WORK_TREE": "{other}",
    "GIT_INDEX_FILE": "/nowhere/index",
    "GIT_OBJECT_DIRECTORY": "{other}/.git/objects",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES": "/nowhere",
    "GIT_COMMON_DIR": "{other}/.git",
    "GIT_NAMESPACE": "other",
    "GIT_PREFIX": "a/",
    "GIT_SHALLOW_FILE": "/nowhere",
    "GIT_QUARANTINE_PATH": "/nowhere",
    "GIT_DEFAULT_HASH": "sha256",
    "GIT_DEFAULT_REF_FORMAT": "reftable",
    "GIT_PROTOCOL": "version=1",
    "GIT_TEMPLATE_DIR": "/nowhere",
    "GIT_TRACE": "1",
    "GIT_TRACE2": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_CEILING_DIRECTORIES": "/",
    "GIT_CONFIG_PARAMETERS": "'core.bare'='false'",
    "GIT_REPLACE_REF_BASE": "refs/tags",
    "GIT_GRAFT_FILE": "/nowhere",
    "LANG": "de_DE.UTF-8",
    "CDPATH": "/",
}


def test_variables_change_nothing(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fetched(tmp_path, origin.source)
    other = origin.copied(tmp_path / "other")
    other.release("7.0.0")
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value.format(other=other.folder))
    found = fetched(tmp_path, origin.source)
    assert (found.digest, found.commit) == (before.digest, before.commit)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert fetched(tmp_path, origin.source).commit == before.commit


# -- in a hook -------------------------------------------------------------------------------
HOOK = """#!/bin/sh
env | grep ^GIT_ > {out}/environment
{python} -m mlops_iac validate > {out}/said 2>&1 &&
{python} -m mlops_iac preview -s prod --against HEAD > {out}/preview 2>&1
"""


@pytest.fixture
def hooked(tmp_path: Path) -> Cli:
    """A team whose commits are checked, and whose template nobody has fetched yet."""
    cli = team(tmp_path / "repo" / "team", publish(tmp_path / "standard"), "^1.0")
    cli.environment["MLOPS_IAC_CACHE"] = str(tmp_path / "cache")
    cli("compile", "-q")
    commit(tmp_path / "repo", "base")
    shutil.rmtree(tmp_path / "cache")
    hook = tmp_path / "repo" / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"cd team &&\n{HOOK.format(python=sys.executable, out=tmp_path)}")
    hook.chmod(0o755)
    return cli


def committed(cli: Cli, folder: Path, *words: str) -> None:
    author = ("-c", "user.name=t", "-c", "user.email=t@t.example", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *author, "commit", "-q", "-m", "x", *words],
        cwd=folder, env=cli.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_commit_hook_finds_the_templates(hooked: Cli, tmp_path: Path) -> None:
    blueprint = hooked.folder / "blueprint.yaml"
    blueprint.write_text(blueprint.read_text().replace("max: 6", "max: 5"))
    committed(hooked, tmp_path / "repo", "--only", "team/blueprint.yaml")
    assert "GIT_INDEX_FILE" in (tmp_path / "environment").read_text()
    assert "maxCapacity: 6 → 5" in (tmp_path / "preview").read_text()
    copies = list((tmp_path / "cache" / "git").glob("*.git"))
    assert len(copies) == 1
    assert git(tmp_path / "repo", "tag") == ""  # nothing was fetched into it


def test_a_commit_hook_of_a_linked_work_tree(hooked: Cli, tmp_path: Path) -> None:
    linked = tmp_path / "linked"
    git(tmp_path / "repo", "worktree", "add", "-q", str(linked))
    blueprint = linked / "team" / "blueprint.yaml"
    blueprint.write_text(blueprint.read_text().replace("max: 6", "max: 5"))
    committed(hooked, linked, "-a")
    assert "GIT_DIR" in (tmp_path / "environment").read_text()
    assert "maxCapacity: 6 → 5" in (tmp_path / "preview").read_text()
    assert git(tmp_path / "repo", "tag") == ""
