"""Templates over HTTPS from git's own server program: access, trust, redirects, and what hangs."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.templates import cache
from mlops_iac.templates.found import identity
from mlops_iac.templates.sources.git_command import GitCommand
from mlops_iac.templates.sources.git_library import GitLibrary
from mlops_iac.templates.sources.repositories import Repositories
from tests.cli import git_servers as servers
from tests.cli.git_servers import HOST, Authority, HttpsServer
from tests.cli.template_sources import publish
from tests.cli.template_sources import team as new_team
from tests.cli.templates import Origin, Team, write_template

GIT = shutil.which("git") or "git"
SECRET = "hunter2-hunter2"


@pytest.fixture(autouse=True)
def _user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.new_user(tmp_path, monkeypatch)


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    found = Origin(tmp_path / "served" / "standard")
    found.release("1.0.0")
    found.release("2.0.0", "standard/v2.0.0", under="a/standard")
    found.release("2.1.0", "standard-v2.1.0", under="a/standard")
    found.release("2.0.0")
    write_template(found.folder, "2.1.0")
    found.commit("v2.1.0", annotated=True)
    found.release("3.0.0-rc.1")
    return found


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this user trusts."""
    found = Authority(tmp_path)
    monkeypatch.setenv("GIT_SSL_CAINFO", str(found.path))
    return found


@pytest.fixture
def server(origin: Origin, authority: Authority) -> Iterator[HttpsServer]:
    with servers.https_server(origin.folder.parent, authority.context(HOST)) as found:
        yield found


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


def configure(**settings: str) -> None:
    """Write settings into the user's `.gitconfig`; `__` is a dot."""
    path = Path(os.environ["HOME"]) / ".gitconfig"
    servers.configuration(path, {key.replace("__", "."): value for key, value in settings.items()})


def source(server: HttpsServer, inner: str = "") -> str:
    return f"git+{server.url('standard')}" + (f"#subdirectory={inner}" if inner else "")


def version(team: Team, text: str, wanted: str = "", **options: object) -> str:
    found = identity(team.find(text, wanted, **options))
    assert found is not None
    return found.version


def refused(team: Team, text: str, wanted: str = "", **options: object) -> TemplateUnavailable:
    with pytest.raises(TemplateUnavailable) as caught:
        team.find(text, wanted, **options)
    assert caught.value.message.isprintable()
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"
    return caught.value


@pytest.fixture(params=["git", "library"])
def way(request: pytest.FixtureRequest) -> Repositories:
    git = GitCommand(GIT, 30) if request.param == "git" else GitLibrary(30)
    return Repositories(offline=False, git=git)


# -- what is there ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wanted", "found"),
    [("", "2.1.0"), ("^1", "1.0.0"), ("~2.0", "2.0.0"), ("2.1.0", "2.1.0"), ("3.0.0-rc.1",) * 2],
)
def test_the_newest_tag_that_fits_is_fetched(
    server: HttpsServer, origin: Origin, team: Team, way: Repositories, wanted: str, found: str
) -> None:
    content = team.find(source(server), wanted, repositories=way)
    assert identity(content).version == found  # type: ignore[union-attr]
    assert content.commit == origin.git("rev-parse", f"v{found}^{{commit}}")


def test_a_folder_of_a_repository(server: HttpsServer, team: Team, way: Repositories) -> None:
    text = source(server, "a/standard")
    assert version(team, text, repositories=way) == "2.1.0"
    assert team.finder().versions(text) == ["2.1.0", "2.0.0"]


def test_only_the_tag_is_fetched_without_what_came_before(
    server: HttpsServer, origin: Origin, team: Team
) -> None:
    team.find(source(server), "~2.0")
    (copy,) = (cache.cache_folder() / "git").glob("*.git")
    git = Origin.__new__(Origin)
    git.folder = copy
    assert git.git("rev-list", "--all", "--count") == "1"
    assert git.git("rev-list", "--all") == origin.git("rev-parse", "v2.0.0")


def test_what_is_locked_needs_no_server(server: HttpsServer, team: Team) -> None:
    team.compile(source(server), "^2")
    server.behaviour.seen.clear()
    assert version(team, source(server), "^2") == "2.1.0"
    assert server.behaviour.seen == []


def test_a_moved_tag_is_told(server: HttpsServer, origin: Origin, team: Team) -> None:
    team.compile(source(server), "~2.0")
    origin.release("2.0.0", body="x")
    shutil.rmtree(cache.cache_folder())
    assert refused(team, source(server), "~2.0").code == "template-changed"


def test_a_repository_of_sha256(
    server: HttpsServer, origin: Origin, team: Team, tmp_path: Path
) -> None:
    other = Origin(tmp_path / "served" / "other", "--object-format=sha256")
    commit = other.release("1.0.0")
    assert len(commit) == 64
    content = team.compile(f"git+{server.url('other')}", "^1")
    assert content.commit == commit
    shutil.rmtree(cache.cache_folder())
    assert team.find(f"git+{server.url('other')}", "^1").digest == content.digest


def test_a_repository_of_sha256_without_git_is_told(
    server: HttpsServer, team: Team, tmp_path: Path
) -> None:
    Origin(tmp_path / "served" / "other", "--object-format=sha256").release("1.0.0")
    git = Repositories(offline=False, git=GitLibrary(30))
    error = refused(team, f"git+{server.url('other')}", repositories=git)
    assert error.code == "template-unreachable"
    assert "SHA-256" in error.message


@pytest.mark.parametrize("format_", ["sha1", "sha256"])
def test_what_a_user_makes_repositories_of_by_default(
    server: HttpsServer, team: Team, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.setenv("GIT_DEFAULT_HASH", format_)
    assert version(team, source(server)) == "2.1.0"


# -- access ----------------------------------------------------------------------------------
@pytest.fixture
def private(server: HttpsServer) -> HttpsServer:
    server.behaviour.user, server.behaviour.password = "ci", SECRET
    return server


def test_a_private_repository(
    private: HttpsServer, origin: Origin, team: Team, tmp_path: Path
) -> None:
    configure(credential__helper=servers.credentials(tmp_path, "ci", SECRET))
    content = team.compile(source(private))
    assert content.commit == origin.git("rev-parse", "v2.1.0^{commit}")
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "helper"]
    assert not [path for path in kept if SECRET.encode() in path.read_bytes()]


def test_a_private_repository_without_credentials(private: HttpsServer, team: Team) -> None:
    started = time.monotonic()
    error = refused(team, source(private))
    assert time.monotonic() - started < 50
    assert error.code == "template-unreachable"
    assert "asks who you are" in error.message
    assert "credential helper" in error.hint


def test_a_private_repository_with_wrong_credentials(
    private: HttpsServer, team: Team, tmp_path: Path
) -> None:
    configure(credential__helper=servers.credentials(tmp_path, "ci", f"{SECRET}-old"))
    error = refused(team, source(private))
    assert "Authentication failed" in error.message
    assert "credential helper" in error.hint


def test_a_library_has_no_credentials_and_says_so(
    private: HttpsServer, team: Team, way: Repositories
) -> None:
    error = refused(team, source(private), repositories=way)
    assert error.code == "template-unreachable"
    assert "credential helper" in error.hint


def test_nobody_is_asked_by_a_program_either(
    private: HttpsServer, team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks = tmp_path / "asks"
    asks.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nsleep 60\n")
    asks.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(asks))
    monkeypatch.setenv("DISPLAY", ":0")
    assert "asks who you are" in refused(team, source(private)).message
    assert not (tmp_path / "asked").exists()


def test_a_credential_of_a_rewritten_url_is_not_told(
    private: HttpsServer, team: Team, tmp_path: Path
) -> None:
    instead = private.url("").replace("https://", f"https://ci:{SECRET}@")
    configure(**{f"url.{instead}.insteadOf": "https://git.acme.example/"})
    assert version(team, "git+https://git.acme.example/standard") == "2.1.0"
    private.behaviour.password = "changed"
    shutil.rmtree(cache.cache_folder())
    error = refused(team, "git+https://git.acme.example/standard")
    assert "git.acme.example" in error.message
    private.behaviour.user, private.behaviour.status = "", 404
    refused(team, "git+https://git.acme.example/standard")


# -- trust -----------------------------------------------------------------------------------
def test_a_certificate_that_nobody_trusts(
    server: HttpsServer, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_SSL_CAINFO")
    for repositories in (None, Repositories(offline=False, git=GitLibrary(30))):
        error = refused(team, source(server), repositories=repositories)
        assert "certificate" in error.message.lower()
        assert "GIT_SSL_CAINFO" in error.hint or "http.sslCAInfo" in error.hint
    assert server.behaviour.seen == []


@pytest.mark.parametrize(
    ("names", "expired"), [((HOST,), True), (("git.acme.example",), False)], ids=["old", "other"]
)
def test_a_certificate_that_is_expired_or_of_another_host(
    origin: Origin, authority: Authority, team: Team, way: Repositories, names: tuple[str, ...],
    expired: bool,
) -> None:  # fmt: skip
    context = authority.context(*names, expired=expired)
    with servers.https_server(origin.folder.parent, context) as server:
        error = refused(team, source(server), repositories=way)
    assert "certificate" in error.message.lower()
    assert server.behaviour.seen == []


# -- redirects -------------------------------------------------------------------------------
def test_a_redirect_to_another_host_takes_no_credentials_along(
    origin: Origin, authority: Authority, team: Team, tmp_path: Path
) -> None:
    root = origin.folder.parent
    context = authority.context(HOST, "localhost")
    with (
        servers.https_server(root, context) as first,
        servers.https_server(root, context) as second,
    ):
        helper = servers.credentials(tmp_path, "ci", SECRET)
        configure(**{f"credential.{first.url('')}.helper": helper})
        assert version(team, source(second)) == "2.1.0"
        first.behaviour.redirect = second.url("", "localhost").rstrip("/")
        first.behaviour.user, first.behaviour.password = "ci", SECRET
        second.behaviour.seen.clear()
        shutil.rmtree(cache.cache_folder())
        assert version(team, source(first)) == "2.1.0"
        assert second.behaviour.seen
        assert not [who for _, who in second.behaviour.seen if who]


def test_a_redirect_out_of_tls_is_not_followed(
    origin: Origin, server: HttpsServer, team: Team, way: Repositories
) -> None:
    with servers.https_server(origin.folder.parent, None) as plain:
        server.behaviour.redirect = plain.url("").rstrip("/")
        assert refused(team, source(server), repositories=way).code == "template-unreachable"
        assert plain.behaviour.seen == []


def test_redirects_that_go_round(server: HttpsServer, team: Team, way: Repositories) -> None:
    server.behaviour.redirect = server.url("").rstrip("/")
    assert refused(team, source(server), repositories=way).code == "template-unreachable"


# -- servers that fail -----------------------------------------------------------------------
@pytest.mark.parametrize("status", [403, 404, 500, 503])
def test_a_server_that_says_no(
    server: HttpsServer, team: Team, way: Repositories, status: int
) -> None:
    server.behaviour.status = status
    error = refused(team, source(server), repositories=way)
    assert error.code == "template-unreachable"
    said = "not found" if status == 404 else str(status)
    assert said in error.message.lower()


def test_a_repository_that_is_not_there(server: HttpsServer, team: Team) -> None:
    error = refused(team, f"git+{server.url('nowhere')}")
    assert "not found" in error.message


@pytest.mark.parametrize("where", ["info/refs", "git-upload-pack"])
@pytest.mark.parametrize("kind", ["git", "library"])
def test_a_server_that_hangs(server: HttpsServer, team: Team, where: str, kind: str) -> None:
    server.behaviour.hangs = where
    started = time.monotonic()
    git = GitCommand(GIT, 1) if kind == "git" else GitLibrary(1)
    error = refused(team, source(server), repositories=Repositories(offline=False, git=git))
    assert time.monotonic() - started < 50
    assert error.code == "template-unreachable"
    assert "no answer within 1 seconds" in error.message


def test_a_server_that_hangs_is_asked_once_and_costs_no_copy(
    server: HttpsServer, team: Team
) -> None:
    configure(protocol__version="0")  # so that tags are not listed by what hangs
    team.find(source(server), "^1")
    (copy,) = (cache.cache_folder() / "git").glob("*.git")
    server.behaviour.hangs = "standard/git-upload-pack"  # and not in `?service=git-upload-pack`
    server.behaviour.seen.clear()
    git = Repositories(offline=False, git=GitCommand(GIT, 2))
    assert (
        "no answer within 2 seconds"
        in refused(team, source(server), "^2", repositories=git).message
    )
    asked = [path for path, _ in server.behaviour.seen if path.endswith("/git-upload-pack")]
    assert len(asked) == 1
    assert (copy / "HEAD").is_file()


def test_a_server_that_hangs_is_waited_for_once(server: HttpsServer, team: Team) -> None:
    """However many templates of a blueprint are from there."""
    server.behaviour.hangs = "info/refs"
    git = Repositories(offline=False, git=GitCommand(GIT, 1))
    for inner in ("", "a/standard", "other"):
        error = refused(team, source(server, inner), repositories=git)
        assert source(server, inner) in error.message
    assert len(server.behaviour.seen) == 1


@pytest.mark.parametrize("kind", ["git", "library"])
def test_a_server_that_answers_one_byte_a_second(
    server: HttpsServer, team: Team, kind: str
) -> None:
    server.behaviour.drips = True
    started = time.monotonic()
    git = GitCommand(GIT, 3) if kind == "git" else GitLibrary(3)
    error = refused(team, source(server), repositories=Repositories(offline=False, git=git))
    assert time.monotonic() - started < 50
    assert "no answer within 3 seconds" in error.message


@pytest.mark.parametrize("cut", [20, 200])
def test_a_server_that_dies_while_it_sends(
    server: HttpsServer, team: Team, way: Repositories, cut: int
) -> None:
    server.behaviour.cut = cut
    error = refused(team, source(server), repositories=way)
    assert error.code == "template-unreachable"
    assert not list((cache.cache_folder() / "templates").glob("sha256-*"))
    server.behaviour.cut = 0
    assert version(team, source(server), repositories=way) == "2.1.0"


# -- on the way ------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy"])
def test_the_proxy_of_the_environment_is_used(
    server: HttpsServer, team: Team, way: Repositories, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name.isupper() and isinstance(way._git, GitLibrary):
        pytest.skip("the library reads the lower-case names alone")
    with servers.proxy() as (url, asked):
        monkeypatch.setenv(name, url)
        assert version(team, source(server), repositories=way) == "2.1.0"
        assert set(asked) == {f"{HOST}:{server.port}"}
        asked.clear()
        monkeypatch.setenv("no_proxy", HOST)
        fresh = Repositories(offline=False, git=way._git)
        assert version(team, source(server), "^1", repositories=fresh) == "1.0.0"
        assert asked == []


def test_the_proxy_of_the_configuration_is_used(
    server: HttpsServer, team: Team, way: Repositories
) -> None:
    with servers.proxy() as (url, asked):
        configure(http__proxy=url)
        assert version(team, source(server), repositories=way) == "2.1.0"
        assert asked


def test_a_proxy_that_is_not_there(
    server: HttpsServer, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://ci:{SECRET}@{HOST}:1")
    assert refused(team, source(server)).code == "template-unreachable"
    assert server.behaviour.seen == []


def test_a_credential_helper_that_hangs(private: HttpsServer, team: Team, tmp_path: Path) -> None:
    helper = tmp_path / "helper"
    helper.write_text("#!/bin/sh\nsleep 60\n")
    helper.chmod(0o755)
    configure(credential__helper=str(helper))
    started = time.monotonic()
    git = Repositories(offline=False, git=GitCommand(GIT, 2))
    assert "no answer within 2 seconds" in refused(team, source(private), repositories=git).message
    assert time.monotonic() - started < 50


# -- the command -----------------------------------------------------------------------------
def test_the_command_with_a_private_template(authority: Authority, tmp_path: Path) -> None:
    publish(tmp_path / "served" / "standard")
    with servers.https_server(tmp_path / "served", authority.context(HOST)) as server:
        server.behaviour.user, server.behaviour.password = "ci", SECRET
        cli = new_team(tmp_path / "work" / "team", source(server), "^1.0")
        without = cli("validate", expect=2)
        assert "asks who you are" in without.err
        configure(credential__helper=servers.credentials(tmp_path, "ci", f"{SECRET}-old"))
        wrong = cli("compile", expect=2)
        assert "Authentication failed" in wrong.err
        servers.credentials(tmp_path, "ci", SECRET)
        right = cli("-v", "compile")
        lock = (cli.folder / "blueprint.lock").read_text()
        assert "version: 1.1.1" in lock
        server.behaviour.seen.clear()
        again = cli("validate")
        assert server.behaviour.seen == []
    for answer in (without, wrong, right, again):
        assert SECRET not in answer.out + answer.err
    assert SECRET not in lock
