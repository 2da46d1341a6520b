"""What a machine lacks, and the bytecode that makes the first preview as fast as the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.cli._session import Session
from mlops_iac.cli.doctor import examine
from tests.cli.harness import Cli, environment


def test_bytecode_is_compiled_where_it_was_not_kept(tmp_path: Path) -> None:
    # As in an image of a container: nothing is kept by itself.
    kept = tmp_path / "kept"
    cli = Cli(
        tmp_path,
        {**environment(), "PYTHONPYCACHEPREFIX": str(kept), "PYTHONDONTWRITEBYTECODE": "1"},
    )

    def told(*words: str) -> dict[str, object]:
        found: list[dict[str, object]] = cli("doctor", *words, "--json").json
        return next(each for each in found if each["name"] == "bytecode")

    assert told()["ok"] is None
    assert told()["fix"] == "mlops-iac doctor --compile"
    assert told("--compile")["ok"] is True
    assert told()["ok"] is True
    for module in ("pulumi_aws/s3/bucket", "moto/s3/models", "mlops_iac/api/compile/programs"):
        assert list(kept.rglob(f"{module}.*.pyc")), module


def test_where_nothing_may_be_written_it_says_so(tmp_path: Path) -> None:
    nowhere = tmp_path / "file"
    nowhere.touch()
    cli = Cli(tmp_path, {**environment(), "PYTHONPYCACHEPREFIX": str(nowhere)})
    assert "takes none" in cli("doctor", "--compile", expect=2).err


def test_a_file_that_nobody_may_open_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "blueprint.yaml").touch()

    def project(_session: Session) -> None:
        raise PermissionError(13, "Permission denied", ".mlops-iac")

    monkeypatch.setattr(Session, "project", project)
    session = Session()
    session.file = str(tmp_path / "blueprint.yaml")
    *_, last = examine(session)
    assert (last.ok, last.found) == (False, ".mlops-iac: Permission denied")
