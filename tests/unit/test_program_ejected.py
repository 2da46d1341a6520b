"""Components copied beside the program: what may be copied, what is kept, what is refused."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from mlops_iac.api.compile.ejecting import _module
from mlops_iac.clouds.aws import components
from mlops_iac.engine.embedded.program import _explain
from mlops_iac.errors import UsageError
from mlops_iac.graph.model import address_of
from mlops_iac.program import ejected as ejecting
from mlops_iac.program import overrides, settings
from mlops_iac.program.build import Program
from mlops_iac.program.ejected import Ejected, eject, read_ejected, require_untouched
from mlops_iac.program.layout import main_py
from mlops_iac.program.manifest import read_manifest
from mlops_iac.program.write import stale, write

ALERTS = "mlops_iac.clouds.aws.components.alerts"
COPY = "components/alerts.py"
EDIT = b"\n# mine\n"


@pytest.fixture(autouse=True)
def their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies are those of whoever runs the tests, who says that they may run."""
    monkeypatch.setenv(ejecting.RUN, "1")


def put(out: Path, *modules: str) -> Ejected:
    """Eject modules into a program that says nothing else."""
    found = eject(out, modules)
    main = main_py("demo", "Written by mlops-iac.", [], local=found.modules, ejected=found.told)
    files = {"__main__.py": main, **found.contents}
    write(Program("demo", files, {}, frozenset(), {}, {}, ejected=found), out)
    return found


def again(out: Path) -> Program:
    """The program as `compile` makes it, from what lies there."""
    found = read_ejected(out)
    files = {"__main__.py": (out / "__main__.py").read_bytes(), **found.contents}
    return Program("demo", files, {}, frozenset(), {}, {}, ejected=found)


def edit(out: Path, path: str = COPY) -> bytes:
    file = out / path
    file.write_bytes(file.read_bytes() + EDIT)
    return file.read_bytes()


def _foreign(path: Path) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level < 2, f"{path.name} imports from above its folder"
            names = [node.module or ""] if node.level == 0 else []
        for name in names:
            top = name.split(".")[0]
            if top not in {"pulumi", "pulumi_aws"} | sys.stdlib_module_names:
                yield name


@pytest.mark.parametrize(
    "file",
    [
        *sorted(Path(*components.__path__).glob("*.py")),
        Path(str(settings.__file__)),
        Path(str(overrides.__file__)),
    ],
    ids=lambda path: path.stem,
)
def test_what_can_be_ejected_needs_pulumi_and_the_sdk_alone(file: Path) -> None:
    assert list(_foreign(file)) == []


@pytest.mark.parametrize("type_", ["aws:s3/bucket:Bucket", "aws:index:Thing", "random::Id"])
def test_overrides_know_addresses_as_the_graph_does(type_: str) -> None:
    assert overrides._address(type_, "x") == address_of(type_, "x")


def test_a_setting_that_is_wrong_is_the_users_under_the_embedded_engine() -> None:
    told = _explain(settings.SettingError("a.b is not set", hint="set it"), Path())
    assert isinstance(told, UsageError)
    assert (told.message, told.hint) == ("a.b is not set", "set it")


def test_siblings_and_the_settings_reader_come_along_byte_for_byte(tmp_path: Path) -> None:
    found = put(tmp_path, ALERTS)
    assert {COPY, "components/_iam.py", "components/keys.py", "components/settings.py"} <= set(
        found.copies
    )
    assert "components/budget.py" not in found.copies
    for path, copy in found.copies.items():
        assert (tmp_path / path).read_bytes() == ejecting.original(copy.module)
    header = ast.get_docstring(ast.parse((tmp_path / "__main__.py").read_bytes())) or ""
    assert f"alerts (sha256:{found.copies[COPY].sha256[:12]})" in " ".join(header.split())


def test_an_edited_copy_is_kept_and_fresh(tmp_path: Path) -> None:
    put(tmp_path, ALERTS)
    mine = edit(tmp_path)
    assert stale(again(tmp_path), tmp_path) == []
    assert write(again(tmp_path), tmp_path) == []
    put(tmp_path, ALERTS, "mlops_iac.clouds.aws.components.budget")
    assert (tmp_path / COPY).read_bytes() == mine


def test_a_missing_copy_is_an_error_that_ejecting_again_mends(tmp_path: Path) -> None:
    """Also where a kill came after the manifest was written, which is written first."""
    put(tmp_path, ALERTS)
    (tmp_path / COPY).unlink()
    with pytest.raises(UsageError, match=r"alerts\.py was ejected and is missing") as caught:
        read_ejected(tmp_path)
    assert "`mlops-iac eject alerts`" in caught.value.hint
    put(tmp_path, ALERTS)
    assert stale(again(tmp_path), tmp_path) == []


def test_a_manifest_that_is_lost_never_drops_copies_in_silence(tmp_path: Path) -> None:
    put(tmp_path, ALERTS)
    main = tmp_path / "__main__.py"
    main.write_bytes(main.read_bytes() + b"from components.alerts import Alerts\n")
    (tmp_path / ".mlops-iac.json").write_text("<<<<<<< HEAD")
    with pytest.raises(UsageError, match="does not say which"):
        read_ejected(tmp_path)


def _moved(out: Path) -> None:
    """As if this were a later version: what was ejected is not what is installed."""
    manifest = read_manifest(out)
    then = replace(manifest.ejected[COPY], version="0.0.9", sha256="0" * 64)
    moved = replace(manifest, ejected={**manifest.ejected, COPY: then})
    (out / ".mlops-iac.json").write_bytes(moved.to_bytes())


def test_an_original_that_moved_on_is_told_and_never_mixed_in(tmp_path: Path) -> None:
    assert put(tmp_path, ALERTS).moved_on() == []
    _moved(tmp_path)
    [note] = read_ejected(tmp_path).moved_on()
    assert note.startswith("ejected from mlops-iac 0.0.9") and COPY in note
    assert "components/keys.py" not in note
    with pytest.raises(UsageError, match="cannot be mixed") as caught:
        eject(tmp_path, ["mlops_iac.clouds.aws.components.budget"])
    assert "delete it first" in caught.value.hint
    (tmp_path / COPY).unlink()
    assert put(tmp_path, ALERTS).moved_on() == []


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "components").mkdir()
    (tmp_path / COPY).write_text("mine = 1\n")
    with pytest.raises(UsageError, match="in the way"):
        eject(tmp_path, [ALERTS])


def test_undoing_removes_untouched_copies_and_refuses_edited_ones(tmp_path: Path) -> None:
    put(tmp_path, ALERTS)
    bare = Program("demo", {"__main__.py": b"pass\n"}, {}, frozenset(), {}, {})
    edit(tmp_path)
    with pytest.raises(UsageError, match="changed by hand"):
        require_untouched(tmp_path)
    (tmp_path / COPY).unlink()
    require_untouched(tmp_path)
    write(bare, tmp_path)
    assert not (tmp_path / "components").exists()
    assert read_ejected(tmp_path) == Ejected()


def test_more_than_copies_in_their_folder_is_stale(tmp_path: Path) -> None:
    put(tmp_path, ALERTS)
    (tmp_path / "components" / "evil.py").touch()
    cache = tmp_path / "components" / "__pycache__"
    cache.mkdir()
    magic = b"\0\0\0\0"
    (cache / "alerts.cpython-311.pyc").write_bytes(magic + b"\0\0\0\0" + b"x" * 8)
    (cache / "keys.cpython-311.pyc").write_bytes(magic + b"\1\0\0\0" + b"x" * 8)
    told = [reason.split(" ")[0] for reason in stale(again(tmp_path), tmp_path)]
    assert told == ["components/__pycache__/keys.cpython-311.pyc", "components/evil.py"]


def test_a_manifest_names_no_file_outside_of_the_folder(tmp_path: Path) -> None:
    put(tmp_path, ALERTS)
    manifest = read_manifest(tmp_path)
    hostile = dict.fromkeys(("../x.py", "components/../x.py", "json.py"), manifest.ejected[COPY])
    (tmp_path / ".mlops-iac.json").write_bytes(replace(manifest, ejected=hostile).to_bytes())
    assert read_manifest(tmp_path).ejected == {}


def test_an_unknown_component_is_answered_with_those_there_are() -> None:
    used = {ALERTS: ["Alerts", "AlertsArgs"], settings.__name__: ["Settings"]}
    assert _module("Alerts", used) == _module("alerts", used) == ALERTS
    with pytest.raises(UsageError) as caught:
        _module("Alert", used)
    assert caught.value.hint == "did you mean Alerts? It uses Alerts, Settings"
