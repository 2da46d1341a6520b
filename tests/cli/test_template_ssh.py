"""Templates over SSH: from a real sshd where there is one, and from git's server program anyway."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.templates.found import identity
from mlops_iac.templates.sources.git_command import GitCommand
from mlops_iac.templates.sources.git_library import GitLibrary
from mlops_iac.templates.sources.repositories import Repositories
from tests.cli import git_servers as servers
from tests.cli.git_servers import HOST, SshServer
from tests.cli.templates import Origin, Team, write_template

GIT = shutil.which("git") or "git"


@pytest.fixture(autouse=True)
def _user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.new_user(tmp_path, monkeypatch)


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    found = Origin(tmp_path / "standard")
    found.release("1.0.0")
    found.release("2.0.0", "standard-v2.0.0", under="a/standard")
    write_template(found.folder, "2.1.0")
    found.commit("v2.1.0", annotated=True)
    return found


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SshServer]:
    with servers.ssh_server(tmp_path / "sshd") as found:
        monkeypatch.setenv("GIT_SSH_COMMAND", found.command())
        yield found


@pytest.fixture(params=["git", "library"])
def way(request: pytest.FixtureRequest) -> Repositories:
    git = GitCommand(GIT, 30) if request.param == "git" else GitLibrary(30)
    return Repositories(offline=False, git=git)


def version(team: Team, text: str, wanted: str = "", **options: object) -> str:
    found = identity(team.find(text, wanted, **options))
    assert found is not None
    return found.version


def refused(team: Team, text: str, **options: object) -> TemplateUnavailable:
    with pytest.raises(TemplateUnavailable) as caught:
        team.find(text, **options)
    assert caught.value.message.isprintable()
    return caught.value


# -- a real server ---------------------------------------------------------------------------
def test_a_real_server(
    server: SshServer, origin: Origin, team: Team, way: Repositories, tmp_path: Path
) -> None:
    text = f"git+{server.url(origin.folder)}"
    content = team.find(text, repositories=way)
    assert identity(content).version == "2.1.0"  # type: ignore[union-attr]
    assert content.commit == origin.git("rev-parse", "v2.1.0^{commit}")
    assert version(team, f"{text}#subdirectory=a/standard", repositories=way) == "2.0.0"


def test_a_key_that_the_server_does_not_know(
    server: SshServer, origin: Origin, team: Team, way: Repositories,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("GIT_SSH_COMMAND", server.command(key="stranger"))
    started = time.monotonic()
    error = refused(team, f"git+{server.url(origin.folder)}", repositories=way)
    assert time.monotonic() - started < 20
    assert "Permission denied" in error.message
    assert "SSH agent" in error.hint


@pytest.mark.parametrize("known", ["nothing", "changed_hosts"])
def test_a_host_that_is_not_known_or_another_one_is_not_asked_about(
    server: SshServer, origin: Origin, team: Team, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", server.command(known=known))
    error = refused(team, f"git+{server.url(origin.folder)}")
    assert "host key is not known" in error.message
    assert "known_hosts" in error.hint
    assert not (server.folder / "nothing").exists()


def test_a_repository_that_is_not_there(server: SshServer, team: Team, tmp_path: Path) -> None:
    error = refused(team, f"git+{server.url(tmp_path / 'nowhere')}")
    assert "does not appear to be a git repository" in error.message


# -- git's server program without a server ---------------------------------------------------
@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where is written what an `ssh` was asked for that runs everything on this machine."""
    monkeypatch.setenv("GIT_SSH_COMMAND", servers.local_ssh(tmp_path / "bin"))
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    return tmp_path / "bin" / "asked"


def test_what_ssh_is_asked_for(origin: Origin, team: Team, asked: Path, way: Repositories) -> None:
    text = f"git+ssh://git@git.acme.example:2222{origin.folder}"
    assert version(team, text, repositories=way) == "2.1.0"
    for line in asked.read_text().splitlines():
        assert "-p 2222" in line
        assert "git@git.acme.example" in line
        assert f"git-upload-pack '{origin.folder}'" in line


def test_a_repository_of_sha256(team: Team, asked: Path, tmp_path: Path) -> None:
    other = Origin(tmp_path / "other", "--object-format=sha256")
    commit = other.release("1.0.0")
    assert team.find(f"git+ssh://git@git.acme.example{other.folder}").commit == commit


def test_an_alias_of_the_configuration(origin: Origin, team: Team, asked: Path) -> None:
    path = Path(os.environ["HOME"]) / ".gitconfig"
    instead = {"url.git@inside.acme.example:/.insteadOf": "https://git.acme.example/"}
    servers.configuration(path, instead)
    assert version(team, f"git+https://git.acme.example{origin.folder}") == "2.1.0"
    assert "git@inside.acme.example" in asked.read_text()


def test_a_server_that_takes_the_connection_and_says_nothing(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    with socket.create_server((HOST, 0)) as silent:
        url = f"git+ssh://git@{HOST}:{silent.getsockname()[1]}/a"
        for git in (GitCommand(GIT, 1), GitLibrary(1)):
            started = time.monotonic()
            error = refused(team, url, repositories=Repositories(offline=False, git=git))
            assert time.monotonic() - started < 10
            assert error.code == "template-unreachable"


# -- how it is written -----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("git@github.com:acme/standard.git", "git+ssh://git@github.com/acme/standard.git"),
        ("git@github.com:/acme/standard", "git+ssh://git@github.com/acme/standard"),
        ("deploy@git.acme.com:~ml/standard", "git+ssh://USER@git.acme.com/~ml/standard"),
        ("git+git@github.com:acme/standard", "git+ssh://git@github.com/acme/standard"),
        ("git+ssh://git@github.com:acme/standard", "git+ssh://git@github.com/acme/standard"),
        ("ssh://git@github.com:acme/standard", "git+ssh://git@github.com/acme/standard"),
        ("git@github.com:acme/standard#subdirectory=a/b",
         "git+ssh://git@github.com/acme/standard#subdirectory=a/b"),
    ],
)  # fmt: skip
def test_the_short_form_of_ssh_is_told_how_to_be_written(team: Team, text: str, meant: str) -> None:
    error = refused(team, text)
    assert error.code in ("template-source", "template-credentials")
    assert f"write {meant}" in error.hint


def test_what_looks_like_the_short_form_with_a_secret_is_not_repeated(team: Team) -> None:
    error = refused(team, "ghp_SECRET:x@github.com:acme/standard")
    assert "SECRET" not in f"{error.message}{error.hint}"
