"""Templates in folders, Python packages and the tool itself, and texts that are no source."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mlops_iac.blueprint import inspect
from mlops_iac.blueprint.templates.content import TemplateContent, TemplateUnavailable, Wanted
from mlops_iac.templates import cache
from mlops_iac.templates.found import manifest_of
from mlops_iac.templates.sources import builtin
from mlops_iac.templates.sources.base import redact
from tests.cli.harness import ROOT
from tests.cli.templates import Team, write_template


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_IAC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MLOPS_IAC_OFFLINE", raising=False)
    cache.forget()


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


# -- texts -------------------------------------------------------------------------------------
SECRET = [
    "git+https://me:s3cr3t@git.acme.com/ml",
    "git+https://s3cr3t@git.acme.com/ml",
    "git+https://me:s3/cr3t@git.acme.com/ml",
    "git+https://me:s3@cr3t@git.acme.com/ml",
    "git+https://me:s3#cr3t@git.acme.com/ml",
    "git+ssh://git:s3cr3t@git.acme.com/ml",
    "git+https://git.acme.com/ml?token=s3cr3t",
    "git+http://me:s3cr3t@git.acme.com/ml",
    "https://me:s3cr3t@git.acme.com/ml",
    "me:s3cr3t@git.acme.com:ml",
    "git+https://me:s3cr3t@git.acme.com:port/ml",
    "git+https://me:s3cr3t\n@git.acme.com/ml",
]


@pytest.mark.parametrize("source", SECRET)
def test_credentials_in_a_source_are_refused_and_never_shown(team: Team, source: str) -> None:
    error = refused(team, source)
    said = f"{error.message} {error.hint} {error!r}"
    assert "cr3t" not in said
    assert "s3" not in said


def test_credentials_have_a_code_of_their_own(team: Team) -> None:
    error = refused(team, SECRET[0])
    assert error.code == "template-credentials"
    assert "credential helper" in error.hint


def test_the_line_of_the_blueprint_is_shown_without_them(team: Team) -> None:
    team.blueprint.write_text(
        "blueprint: 1\nname: churn\nplatform: sagemaker\nregion: eu-west-1\n"
        f"extends: [{{template: {SECRET[0]}, version: ^2, wrong: 1}}]\n"
    )
    _, found = inspect(team.blueprint, templates=team.finder())
    assert "s3cr3t" not in repr(found)
    shown = next(item for item in found if item.code == "template-credentials")
    at = shown.snippet[shown.column - 1 :][: shown.length]
    assert at == "git+https://*********@git.acme.com/ml"


def test_what_git_says_is_redacted() -> None:
    assert redact("fatal: 'https://a:b@h/p' not found") == "fatal: 'https://…@h/p' not found"
    assert redact("git@github.com: Permission denied") == "git@github.com: Permission denied"


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("", "no source"),
        ("git+http://git.acme.com/ml", "over http"),
        ("git+git://git.acme.com/ml", "over git"),
        ("git+ext::sh -c id", "character"),
        ("git+ext::id", "over ext"),
        ("git+--upload-pack=id", "over nothing"),
        ("git+ssh://-oProxyCommand=id/x", "no repository"),
        ("git+ssh://git@-x/y", "no repository"),
        ("git+https://git.acme.com", "no repository"),
        ("git+https://git.acme.com/ml@v2", "version in it"),
        ("git+https://git.acme.com/ml#egg=x", "fragment"),
        ("git+https://git.acme.com/ml#subdirectory=../x", "leaves"),
        ("git+https://git.acme.com/ml#subdirectory=a\\b", "character"),
        ("git+https://git.acme.com/../../x", "path"),
        ("git+file://elsewhere/x", "of this machine"),
        ("git+file:x", "of this machine"),
        ("git@git.acme.com:ml/standard", "no source"),
        ("https://git.acme.com/ml", "no source"),
        ("Standard", "no source"),
        ("templates/standard", "no source"),
        ("~/standard", "no source"),
        ("C:\\x", "no source"),
        ("./a\\b", "path of a folder"),
        ("./a\x00b", "path of a folder"),
        ("python:", "names no Python package"),
        ("python:a-b", "names no Python package"),
        ("python:os;id", "names no Python package"),
        ("python:a/../../x", "leaves"),
        ("python:a//x", "not relative"),
        ("python:a/b//x", "plain path"),
    ],
)
def test_what_is_no_source(team: Team, source: str, word: str) -> None:
    error = refused(team, source)
    assert word in error.message
    assert error.hint


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("git@git.acme.com:ml/standard", "git+ssh://git@git.acme.com/ml/standard"),
        ("https://git.acme.com/ml", "git+https://git.acme.com/ml"),
        ("templates/standard", "./templates/standard"),
        ("git+https://git.acme.com/ml@v2", "`version:`"),
    ],
)
def test_the_fix_is_said(team: Team, source: str, hint: str) -> None:
    assert hint in refused(team, source).hint


# -- folders -------------------------------------------------------------------------------------
def test_a_folder_is_seen_from_the_blueprint(team: Team, tmp_path: Path) -> None:
    write_template(tmp_path / "templates" / "standard", "2.1.0")
    content = team.find("../templates//./standard/", "^2")
    assert (content.source, version(content)) == ("../templates/standard", "2.1.0")
    assert version(team.find(str(tmp_path / "templates" / "standard"))) == "2.1.0"
    assert "'^3'" in refused(team, "../templates/standard", "^3").message


def test_a_folder_that_is_not_there(team: Team) -> None:
    assert refused(team, "./nowhere").code == "template-missing"
    team.blueprint.write_text("")
    assert "not a file" in refused(team, "./blueprint.yaml").hint


def test_templates_of_templates_in_folders(team: Team, tmp_path: Path) -> None:
    write_template(tmp_path / "t" / "base", "1.0.0", name="base")
    write_template(tmp_path / "t" / "standard", "2.0.0")
    finder = team.finder()
    standard = finder.find(Wanted(source="../t/standard"))
    base = finder.find(Wanted(source="../base", parent=standard))
    assert base.source == "../t/base"
    assert [(pin.template, pin.by) for pin in finder.pins().pins] == [
        ("../t/standard", ""),
        ("../t/base", "acme/standard@2.0.0"),
    ]


def test_a_folder_changed_under_its_locked_version_is_told(team: Team, tmp_path: Path) -> None:
    folder = write_template(tmp_path / "t", "2.0.0")
    before = team.compile("../t", "^2")
    write_template(folder, "2.0.0", body="x")
    error = refused(team, "../t", "^2")
    assert error.code == "template-changed"
    assert before.digest in error.message
    assert "raise `version`" in error.hint
    after = team.find("../t", "^2", update={"../t": ""})
    assert after.digest in error.message


def test_a_newer_folder_waits_for_an_update(team: Team, tmp_path: Path) -> None:
    folder = write_template(tmp_path / "t", "2.0.0")
    team.compile("../t", "^2")
    write_template(folder, "2.1.0")
    finder = team.finder()
    assert version(finder.find(Wanted(source="../t", version="^2"))) == "2.0.0"
    assert finder.notes == ["../t has 2.1.0; 2.0.0 is pinned: `mlops-iac template update`"]
    assert finder.stale == []
    assert version(team.find("../t", "^2", update={"../t": ""})) == "2.1.0"
    (cache.cache_folder() / "templates").rename(tmp_path / "away")
    error = refused(team, "../t", "^2")
    assert error.code == "template-not-locked"
    assert error.message == "../t is pinned at 2.0.0 and has 2.1.0"


def test_a_folder_whose_manifest_is_wrong_is_left_to_who_reads_it(
    team: Team, tmp_path: Path
) -> None:
    folder = write_template(tmp_path / "t", "2.0.0")
    (folder / "template.yaml").write_text("template: [")
    finder = team.finder()
    assert manifest_of(finder.find(Wanted(source="../t"))) is None
    assert finder.pins().pins == ()


# -- Python packages -------------------------------------------------------------------------------
@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def package(site: Path, name: str = "acme_templates") -> Path:
    folder = site / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('a template was imported')\n")
    write_template(folder / "standard", "2.1.0", extends="extends: [{template: ../base}]\n")
    write_template(folder / "base", "1.0.0", name="acme/base")
    return folder


def test_a_package_is_found_and_never_imported(team: Team, site: Path) -> None:
    package(site)
    finder = team.finder()
    standard = finder.find(Wanted(source="python:acme_templates/standard", version="^2"))
    base = finder.find(Wanted(source="../base", parent=standard))
    assert (version(standard), base.source) == ("2.1.0", "python:acme_templates/base")
    assert "acme_templates" not in sys.modules
    with pytest.raises(TemplateUnavailable) as caught:
        finder.find(Wanted(source="../../other", parent=standard))
    assert caught.value.code == "template-escape"


def test_a_dotted_package_and_a_template_at_its_top(team: Team, site: Path) -> None:
    package(site / "acme_group", "ml")
    (site / "acme_group" / "__init__.py").write_text("raise SystemExit\n")
    write_template(site / "acme_group", "3.0.0", name="top")
    finder = team.finder()
    standard = finder.find(Wanted(source="python:acme_group.ml/standard"))
    base = finder.find(Wanted(source="../base", parent=standard))
    assert base.source == "python:acme_group/ml/base"
    assert version(finder.find(Wanted(source="python:acme_group"))) == "3.0.0"
    assert not [name for name in sys.modules if name.startswith("acme_group")]


def test_packages_that_cannot_serve(team: Team, site: Path) -> None:
    package(site)
    (site / "acme_module.py").write_text("raise SystemExit")
    assert "not installed" in refused(team, "python:acme_nowhere").message
    assert "no package" in refused(team, "python:acme_module").message
    error = refused(team, "python:acme_templates/nowhere")
    assert "no folder 'nowhere'" in error.message
    assert error.hint == "it has templates in: base, standard"


def test_a_package_in_an_archive_is_refused(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("acme_zipped/__init__.py", "")
        archive.writestr("acme_zipped/template.yaml", "template: 1")
    monkeypatch.syspath_prepend(str(tmp_path / "z.zip"))
    assert "in an archive" in refused(team, "python:acme_zipped").message


# What setuptools writes for `pip install -e` where a folder on the path does not do: a finder that
# maps names, and for a namespace a search location that is no folder.
EDITABLE = """
import os, sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
MAPPING = {mapping!r}
PLACE = "__editable__.acme.finder.__path_hook__"
class Finder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        for name, folder in MAPPING.items():
            if fullname == name or fullname.startswith(name + "."):
                inside = os.path.join(folder, *fullname[len(name) + 1 :].split("."))
                start = os.path.join(inside, "__init__.py")
                if os.path.exists(start):
                    return spec_from_file_location(fullname, start)
        return None
class Namespaces:
    @classmethod
    def _hook(cls, path):
        if path == PLACE:
            return cls
        raise ImportError
    @classmethod
    def find_spec(cls, fullname, target=None):
        if fullname in {namespaces!r}:
            spec = ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [PLACE]
            return spec
        return None
sys.meta_path.append(Finder)
sys.path_hooks.append(Namespaces._hook)
sys.path.append(PLACE)
"""


def editable(monkeypatch: pytest.MonkeyPatch, mapping: dict[str, str], *namespaces: str) -> None:
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(sys, "path_hooks", [*sys.path_hooks])
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    exec(EDITABLE.format(mapping=mapping, namespaces=namespaces), {})


def test_an_editable_package_is_found(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = package(tmp_path / "checkout", "anything")
    editable(monkeypatch, {"acme_edited": str(folder)})
    assert version(team.find("python:acme_edited/standard")) == "2.1.0"
    assert "no folder 'nowhere'" in refused(team, "python:acme_edited/nowhere").message


def test_an_editable_part_of_a_namespace_is_found(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = package(tmp_path / "checkout", "anything")
    editable(monkeypatch, {"acme_space.ml": str(folder)}, "acme_space")
    finder = team.finder()
    standard = finder.find(Wanted(source="python:acme_space.ml/standard"))
    assert version(standard) == "2.1.0"
    assert version(finder.find(Wanted(source="../base", parent=standard))) == "1.0.0"
    assert "no folder 'other'" in refused(team, "python:acme_space.other").message
    assert "acme_space" not in sys.modules


def test_a_namespace_of_several_distributions(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        write_template(tmp_path / name / "acme_shared" / name, "1.0.0", name=f"acme/{name}")
        monkeypatch.syspath_prepend(str(tmp_path / name))
    assert version(team.find("python:acme_shared/one")) == "1.0.0"
    assert version(team.find("python:acme_shared.two")) == "1.0.0"
    error = refused(team, "python:acme_shared/three")
    assert "it has templates in: one, two" in error.hint
    write_template(tmp_path / "two" / "acme_shared" / "one", "2.0.0")
    assert refused(team, "python:acme_shared/one").code == "template-ambiguous"


def test_a_package_partly_in_an_archive(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("acme_mixed/zipped/template.yaml", "template: 1")
        archive.writestr("acme_mixed/zipped/__init__.py", "")
    write_template(tmp_path / "site" / "acme_mixed" / "plain", "1.0.0")
    monkeypatch.syspath_prepend(str(tmp_path / "z.zip"))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert version(team.find("python:acme_mixed/plain")) == "1.0.0"
    assert "no folder 'zipped'" in refused(team, "python:acme_mixed/zipped").message


def test_the_folder_that_it_is_started_in_is_no_package(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_template(tmp_path / "here" / "acme_here", "1.0.0")
    monkeypatch.chdir(tmp_path / "here")
    usual = [*sys.path]
    for first in ("", str(tmp_path / "here")):
        monkeypatch.setattr(sys, "path", [first, *usual])
        assert "not installed" in refused(team, "python:acme_here").message
    monkeypatch.setattr(sys, "path", ["", *usual, str(tmp_path / "here")])  # as by `pip -e`
    assert version(team.find("python:acme_here")) == "1.0.0"


def test_a_package_that_is_not_there_is_to_be_installed_where_the_command_runs(team: Team) -> None:
    error = refused(team, "python:acme_theirs/standard")
    assert "not installed beside mlops-iac" in error.message
    assert sys.prefix in error.hint


def test_a_link_out_of_a_package_is_refused(team: Team, site: Path, tmp_path: Path) -> None:
    write_template(tmp_path / "outside", "1.0.0")
    (package(site) / "linked").symlink_to(tmp_path / "outside")
    assert refused(team, "python:acme_templates/linked").code == "template-refused"


def test_a_package_that_pip_installed(team: Team, tmp_path: Path) -> None:
    project = tmp_path / "project"
    package(project / "src", "acme_installed")
    (project / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "acme-installed"\nversion = "7.0"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["src/acme_installed"]\n'
    )
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, "--target", str(target), str(project)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    code = (
        "import sys; from mlops_iac.blueprint.templates.content import Wanted\n"
        "from mlops_iac.templates.finder import Finder\n"
        "print(*Finder(sys.argv[1]).versions('python:acme_installed/standard'))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(team.blueprint)],
        env={**os.environ, "PYTHONPATH": str(target)},
        capture_output=True,
        text=True,
    )
    assert (answer.stdout.strip(), answer.stderr) == ("2.1.0", "")


# -- built-in ------------------------------------------------------------------------------------
def test_built_in_templates_are_known_by_name(
    team: Team, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_template(tmp_path / "builtin" / "governed", "1.0.0", name="governed")
    monkeypatch.setattr(builtin, "builtin_folder", lambda: tmp_path / "builtin")
    content = team.find("governed", "^1")
    assert (content.source, version(content)) == ("governed", "1.0.0")
    assert "did you mean 'governed'?" in refused(team, "goverened").hint


def test_the_wheel_holds_the_built_in_templates(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, "--wheel-dir", str(tmp_path), str(ROOT)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "mlops_iac/py.typed" in archive.namelist()
        packed = {name for name in archive.namelist() if "/_blueprints/" in name}
    ours = (ROOT / "blueprints").rglob("*")
    wanted = {
        f"mlops_iac/_blueprints/{item.relative_to(ROOT / 'blueprints').as_posix()}"
        for item in ours
        if item.is_file() and "__pycache__" not in item.parts
    }
    assert wanted
    assert packed == wanted
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    code = "from mlops_iac.templates.sources.builtin import *; print(builtin_folder(), *builtin_names())"
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
    )
    folder, *names = answer.stdout.split()
    assert folder == str(tmp_path / "installed" / "mlops_iac" / "_blueprints"), answer.stderr
    assert names == builtin.builtin_names()
    assert names
