"""The assets of a run of the program, which a request names and does not hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_iac.emulators.wire import file_hash, text_hash
from mlops_iac.errors import MlopsError
from mlops_iac.values import Asset


class AssetReader:
    """Hashes the assets of one run; paths are taken relative to the program's folder.

    `absolute` decides how paths are handed on: providers open the file, a lock file compares it.
    """

    def __init__(self, program: Path, *, absolute: bool) -> None:
        self._program = program
        self._absolute = absolute

    def __call__(self, data: Mapping[str, Any], archive: bool) -> Asset:
        """Raises MlopsError for a missing file, a directory, a URI or an archive of assets."""
        what = "archive" if archive else "asset"
        if (text := data.get("text")) is not None:
            return Asset(text_hash(text), text=text, archive=archive)
        if data.get("path") is None:
            kind = "an archive made of assets" if "assets" in data else f"a remote {what}"
            raise MlopsError(
                f"{kind} is not implemented by the embedded engine",
                hint="pack the files into one archive and pass its path",
            )
        path = self._program / data["path"]
        if path.is_dir():
            raise MlopsError(
                f"the {what} {data['path']} is a directory, which the embedded engine refuses",
                hint="pack it into one archive and pass its path",
            )
        digest = file_hash(path)
        shown = str(path.resolve()) if self._absolute else data["path"]
        return Asset(digest, path=shown, archive=archive)
