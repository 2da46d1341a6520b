"""Templates over every transport, file, HTTPS and SSH: access, trust, redirects, and what hangs.

HTTPS is git's own server program behind TLS; SSH a real sshd where there is one, and git's server
program anyway. The servers and the repository are made once; a test that changes it has a copy.
"""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_iac.blueprint.templates.content import TemplateUnavailable
from mlops_iac.templates import cache
from mlops_iac.templates.found import manifest_of
from mlops_iac.templates.sources.repositories import Repositories
from tests.cli import git_servers as servers
from tests.cli.git_servers import HOST, Authority, Behaviour, HttpsServer, SshServer
from tests.cli.template_sources import publish
from tests.cli.template_sources import team as new_team
from tests.cli.templates import Origin, Team, write_template

SECRET = "hunter2-hunter2"


# -- what serves, once for all ---------------------------------------------------------------
@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of repositories: `standard`, and `sha256`, which names its objects so."""
    root = tmp_path_factory.mktemp("served")
    found = Origin(root / "standard")
    found.release("1.0.0")
    found.release("2.0.0", "standard-v2.0.0", under="a/standard")
    found.release("2.0.0")
    write_template(found.folder, "2.1.0")
    found.commit("v2.1.0", annotated=True)
    found.release("3.0.0-rc.1")
    Origin(root / "sha256", "--object-format=sha256").release("1.0.0")
    return root


@pytest.fixture
def origin(served: Path) -> Origin:
    found = Origin.__new__(Origin)
    found.folder = served / "standard"
    return found


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def https(served: Path, issuer: Authority) -> Iterator[HttpsServer]:
    with servers.https_server(served, issuer.context(HOST)) as found:
        yield found


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    with servers.ssh_server(tmp_path_factory.mktemp("ssh") / "sshd") as found:
        yield found


# -- for one test ----------------------------------------------------------------------------
@pytest.fixture(autouse=True)
def _user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    servers.new_user(tmp_path, monkeypatch)


@pytest.fixture
def authority(issuer: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that this user trusts."""
    monkeypatch.setenv("GIT_SSL_CAINFO", str(issuer.path))
    return issuer


@pytest.fixture
def server(https: HttpsServer, authority: Authority) -> HttpsServer:
    https.behaviour = Behaviour()
    return https


@pytest.fixture
def ssh(sshd: SshServer, monkeypatch: pytest.MonkeyPatch) -> SshServer:
    monkeypatch.setenv("GIT_SSH_COMMAND", sshd.command())
    return sshd


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path / "team")


@pytest.fixture(params=["file", "https", "ssh"])
def base(request: pytest.FixtureRequest, served: Path) -> str:
    """Where the repositories are, over one transport."""
    match request.param:
        case "file":
            return f"git+file://{served}"
        case "https":
            found: HttpsServer = request.getfixturevalue("server")
            return f"git+{found.url('')}".rstrip("/")
        case _:
            daemon: SshServer = request.getfixturevalue("ssh")
            return f"git+{daemon.url(served)}"


def configure(**settings: str) -> None:
    """Write settings into the user's `.gitconfig`; `__` is a dot."""
    path = Path(os.environ["HOME"]) / ".gitconfig"
    servers.configuration(path, {key.replace("__", "."): value for key, value in settings.items()})


def source(server: HttpsServer, inner: str = "") -> str:
    return f"git+{server.url('standard')}" + (f"#subdirectory={inner}" if inner else "")


def version(team: Team, text: str, wanted: str = "", **options: object) -> str:
    found = manifest_of(team.find(text, wanted, **options))
    assert found is not None
    return found.version


def refused(team: Team, text: str, wanted: str = "", **options: object) -> TemplateUnavailable:
    with pytest.raises(TemplateUnavailable) as caught:
        team.find(text, wanted, **options)
    assert caught.value.message.isprintable()
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"
    return caught.value


# -- over every transport --------------------------------------------------------------------
@pytest.mark.parametrize(
    ("wanted", "found"),
    [("", "2.1.0"), ("^1", "1.0.0"), ("~2.0", "2.0.0"), ("3.0.0-rc.1", "3.0.0-rc.1")],
)
def test_the_newest_tag_that_fits_is_fetched(
    base: str, origin: Origin, team: Team, wanted: str, found: str
) -> None:
    content = team.find(f"{base}/standard", wanted)
    assert manifest_of(content).version == found  # type: ignore[union-attr]
    assert content.commit == origin.git("rev-parse", f"v{found}^{{commit}}")
    assert {"blueprint.yaml", "template.yaml"} <= set(content.files)


def test_a_folder_of_a_repository(base: str, team: Team) -> None:
    text = f"{base}/standard#subdirectory=a/standard"
    assert version(team, text) == "2.0.0"
    assert team.finder().versions(text) == ["2.0.0"]


def test_a_repository_of_sha256(base: str, team: Team, served: Path) -> None:
    content = team.compile(f"{base}/sha256", "^1")
    assert len(content.commit) == 64
    shutil.rmtree(cache.cache_folder())
    assert team.find(f"{base}/sha256", "^1").digest == content.digest


def test_a_repository_that_is_not_there(base: str, team: Team) -> None:
    error = refused(team, f"{base}/nowhere")
    assert error.code == "template-unreachable"
    assert "not found" in error.message or "does not" in error.message
    assert error.hint


def test_what_is_locked_needs_no_repository(
    base: str, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.compile(f"{base}/standard", "^2")
    monkeypatch.setenv("PATH", "/nowhere")
    assert version(team, f"{base}/standard", "^2") == "2.1.0"


@pytest.mark.parametrize("scheme", ["https", "ssh"])
@pytest.mark.parametrize("listens", [True, False])
def test_who_never_answers_is_not_waited_for(
    team: Team, scheme: str, listens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    with socket.create_server((HOST, 0)) as silent:
        port = silent.getsockname()[1] if listens else 1
        started = time.monotonic()
        once = Repositories(offline=False, timeout=1)
        error = refused(team, f"git+{scheme}://{HOST}:{port}/a", repositories=once)
    assert time.monotonic() - started < 30
    assert error.code == "template-unreachable"
    assert not listens or "no answer within 1 seconds" in error.message


# -- HTTPS: what is kept ---------------------------------------------------------------------
def test_only_the_tag_is_fetched_without_what_came_before(
    server: HttpsServer, origin: Origin, team: Team
) -> None:
    team.find(source(server), "~2.0")
    (copy,) = (cache.cache_folder() / "git").glob("*.git")
    git = Origin.__new__(Origin)
    git.folder = copy
    assert git.git("rev-list", "--all", "--count") == "1"
    assert git.git("rev-list", "--all") == origin.git("rev-parse", "v2.0.0")


def test_a_moved_tag_is_told(
    origin: Origin, authority: Authority, team: Team, tmp_path: Path
) -> None:
    own = origin.copied(tmp_path / "own" / "standard")
    with servers.https_server(tmp_path / "own", authority.context(HOST)) as server:
        team.compile(source(server), "~2.0")
        own.release("2.0.0", body="x")
        shutil.rmtree(cache.cache_folder())
        assert refused(team, source(server), "~2.0").code == "template-changed"


# -- HTTPS: access ---------------------------------------------------------------------------
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


def test_a_credential_helper_that_hangs(private: HttpsServer, team: Team, tmp_path: Path) -> None:
    helper = tmp_path / "helper"
    helper.write_text("#!/bin/sh\nsleep 60\n")
    helper.chmod(0o755)
    configure(credential__helper=str(helper))
    started = time.monotonic()
    git = Repositories(offline=False, timeout=2)
    assert "no answer within 2 seconds" in refused(team, source(private), repositories=git).message
    assert time.monotonic() - started < 50


# -- HTTPS: trust ----------------------------------------------------------------------------
def test_a_certificate_that_nobody_trusts(
    server: HttpsServer, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GIT_SSL_CAINFO")
    error = refused(team, source(server))
    assert "certificate" in error.message.lower()
    assert "GIT_SSL_CAINFO" in error.hint
    assert server.behaviour.seen == []


@pytest.mark.parametrize(
    ("names", "expired"), [((HOST,), True), (("git.acme.example",), False)], ids=["old", "other"]
)
def test_a_certificate_that_is_expired_or_of_another_host(
    origin: Origin, authority: Authority, team: Team, names: tuple[str, ...],
    expired: bool,
) -> None:  # fmt: skip
    context = authority.context(*names, expired=expired)
    with servers.https_server(origin.folder.parent, context) as server:
        error = refused(team, source(server))
    assert "certificate" in error.message.lower()
    assert server.behaviour.seen == []


# -- HTTPS: redirects ------------------------------------------------------------------------
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
    origin: Origin, server: HttpsServer, team: Team
) -> None:
    with servers.https_server(origin.folder.parent, None) as plain:
        server.behaviour.redirect = plain.url("").rstrip("/")
        assert refused(team, source(server)).code == "template-unreachable"
        assert plain.behaviour.seen == []


def test_redirects_that_go_round(server: HttpsServer, team: Team) -> None:
    server.behaviour.redirect = server.url("").rstrip("/")
    assert refused(team, source(server)).code == "template-unreachable"


# -- HTTPS: servers that fail ----------------------------------------------------------------
@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_says_no(server: HttpsServer, team: Team, status: int) -> None:
    server.behaviour.status = status
    error = refused(team, source(server))
    assert error.code == "template-unreachable"
    said = "not found" if status == 404 else str(status)
    assert said in error.message.lower()


@pytest.mark.parametrize("where", ["info/refs", "git-upload-pack"])
def test_a_server_that_hangs_is_waited_for_once(
    server: HttpsServer, team: Team, where: str
) -> None:
    """However many templates of a blueprint are from there."""
    server.behaviour.hangs = where
    once = Repositories(offline=False, timeout=1)
    for inner in ("", "a/standard"):
        error = refused(team, source(server, inner), repositories=once)
        assert error.code == "template-unreachable"
        assert "no answer within 1 seconds" in error.message
        assert source(server, inner) in error.message


def test_a_server_that_hangs_is_asked_once_and_costs_no_copy(
    server: HttpsServer, team: Team
) -> None:
    configure(protocol__version="0")  # so that tags are not listed by what hangs
    team.find(source(server), "^1")
    (copy,) = (cache.cache_folder() / "git").glob("*.git")
    server.behaviour.hangs = "standard/git-upload-pack"  # and not in `?service=git-upload-pack`
    server.behaviour.seen.clear()
    git = Repositories(offline=False, timeout=2)
    assert (
        "no answer within 2 seconds"
        in refused(team, source(server), "^2", repositories=git).message
    )
    asked = [path for path, _ in server.behaviour.seen if path.endswith("/git-upload-pack")]
    assert len(asked) == 1
    assert (copy / "HEAD").is_file()


def test_a_server_that_answers_one_byte_a_second(server: HttpsServer, team: Team) -> None:
    server.behaviour.drips = True
    once = Repositories(offline=False, timeout=2)
    assert "no answer within 2 seconds" in refused(team, source(server), repositories=once).message


@pytest.mark.parametrize("cut", [20, 200])
def test_a_server_that_dies_while_it_sends(server: HttpsServer, team: Team, cut: int) -> None:
    server.behaviour.cut = cut
    error = refused(team, source(server))
    assert error.code == "template-unreachable"
    assert not list((cache.cache_folder() / "templates").glob("sha256-*"))
    server.behaviour.cut = 0
    assert version(team, source(server)) == "2.1.0"


# -- HTTPS: on the way ------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "http.proxy"])
def test_the_proxy_of_the_user_is_used(
    server: HttpsServer, team: Team, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with servers.proxy() as (url, asked):
        if "." in name:
            configure(**{name: url})
        else:
            monkeypatch.setenv(name, url)
        assert version(team, source(server)) == "2.1.0"
        assert set(asked) == {f"{HOST}:{server.port}"}
        asked.clear()
        monkeypatch.setenv("no_proxy", HOST)
        assert version(team, source(server), "^1") == "1.0.0"
        assert asked == []


def test_a_proxy_that_is_not_there(
    server: HttpsServer, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://ci:{SECRET}@{HOST}:1")
    assert refused(team, source(server)).code == "template-unreachable"
    assert server.behaviour.seen == []


# -- HTTPS: the command -----------------------------------------------------------------------
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


# -- SSH -------------------------------------------------------------------------------------
def test_a_key_that_the_server_does_not_know(
    ssh: SshServer, origin: Origin, team: Team,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("GIT_SSH_COMMAND", ssh.command(key="stranger"))
    started = time.monotonic()
    error = refused(team, f"git+{ssh.url(origin.folder)}")
    assert time.monotonic() - started < 20
    assert "Permission denied" in error.message
    assert "SSH agent" in error.hint


@pytest.mark.parametrize("known", ["nothing", "changed_hosts"])
def test_a_host_that_is_not_known_or_another_one_is_not_asked_about(
    ssh: SshServer, origin: Origin, team: Team, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", ssh.command(known=known))
    error = refused(team, f"git+{ssh.url(origin.folder)}")
    assert "host key is not known" in error.message
    assert "known_hosts" in error.hint
    assert not (ssh.folder / "nothing").exists()


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where is written what an `ssh` was asked for that runs everything on this machine."""
    monkeypatch.setenv("GIT_SSH_COMMAND", servers.local_ssh(tmp_path / "bin"))
    monkeypatch.setenv("GIT_SSH_VARIANT", "ssh")
    return tmp_path / "bin" / "asked"


def test_what_ssh_is_asked_for(origin: Origin, team: Team, asked: Path) -> None:
    text = f"git+ssh://git@git.acme.example:2222{origin.folder}"
    assert version(team, text) == "2.1.0"
    for line in asked.read_text().splitlines():
        assert "-p 2222" in line
        assert "git@git.acme.example" in line
        assert f"git-upload-pack '{origin.folder}'" in line


def test_an_alias_of_the_configuration(origin: Origin, team: Team, asked: Path) -> None:
    path = Path(os.environ["HOME"]) / ".gitconfig"
    instead = {"url.git@inside.acme.example:/.insteadOf": "https://git.acme.example/"}
    servers.configuration(path, instead)
    assert version(team, f"git+https://git.acme.example{origin.folder}") == "2.1.0"
    assert "git@inside.acme.example" in asked.read_text()


# -- SSH: how it is written -------------------------------------------------------------------
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
