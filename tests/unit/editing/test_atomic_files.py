"""Several files are written as one, or none of them is."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops_iac.blueprint.editing.files import Rewrite, rewrite
from mlops_iac.errors import MlopsError, UsageError


def files(folder: Path) -> list[Rewrite]:
    one, two, gone = folder / "one", folder / "two", folder / "gone"
    one.write_bytes(b"1")
    gone.write_bytes(b"3")
    return [
        Rewrite(one, b"1", b"new 1", "one"),
        Rewrite(two, None, b"new 2", "two"),
        Rewrite(gone, b"3", None, "gone"),
    ]


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_all_are_written_and_modes_and_links_stay(tmp_path: Path) -> None:
    wanted = files(tmp_path)
    (tmp_path / "one").chmod(0o640)
    real = tmp_path / "real"
    real.write_bytes(b"4")
    (tmp_path / "link").symlink_to(real)
    written = rewrite([*wanted, Rewrite(tmp_path / "link", b"4", b"new 4", "link")])
    assert [path.name for path in written] == ["one", "two", "gone", "link"]
    assert held(tmp_path) == {
        "link": b"new 4",
        "one": b"new 1",
        "real": b"new 4",
        "two": b"new 2",
    }
    assert (tmp_path / "one").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_what_fails_in_the_middle_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    wanted = files(tmp_path)
    before = held(tmp_path)
    calls = [0]
    replace, unlink = Path.replace, Path.unlink

    def broken(path: Path, target: Path) -> Path:
        if Path(target).name in ("one", "two"):
            calls[0] += 1
            if calls[0] == failing + 1 < 3:  # what comes later puts things back
                raise OSError(28, "No space left on device")
        return replace(path, target)

    def kept(path: Path, missing_ok: bool = False) -> None:
        if path.name == "gone" and failing == 2:
            raise PermissionError(1, "Operation not permitted")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "replace", broken)
    monkeypatch.setattr(Path, "unlink", kept)
    with pytest.raises(MlopsError, match="nothing was changed") as error:
        rewrite(wanted)
    assert ("one", "two", "gone")[failing] in error.value.message
    assert held(tmp_path) == before


def test_what_somebody_else_changed_is_not_overwritten(tmp_path: Path) -> None:
    wanted = files(tmp_path)
    (tmp_path / "two").write_bytes(b"mine")
    with pytest.raises(UsageError, match="two was changed by somebody else"):
        rewrite(wanted)
    assert held(tmp_path) == {"gone": b"3", "one": b"1", "two": b"mine"}


def test_what_is_the_same_is_not_written(tmp_path: Path) -> None:
    one = tmp_path / "one"
    one.write_bytes(b"1")
    before = one.stat().st_mtime_ns
    assert rewrite([Rewrite(one, b"1", b"1", "one")]) == []
    assert one.stat().st_mtime_ns == before
