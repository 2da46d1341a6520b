"""A text file that is read and written byte for byte."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from mlops_iac.blueprint.source import read
from mlops_iac.errors import MlopsError, UsageError

_MARK = b"\xef\xbb\xbf"


class TextFile:
    """A file as it was read. Raises UsageError where it is no text, as `source.read` does."""

    def __init__(self, path: Path, shown: str = "") -> None:
        self.path = path
        self.shown = shown or _from_here(path)
        self.text = read(path, self.shown).text
        self._data = path.read_bytes()

    def write(self, text: str) -> bool:
        """Replace the file's text; False where it is the same already.

        All of it or nothing, with the file's mode and byte order mark, through links. Raises
        UsageError where somebody changed the file in between, or it cannot be written.
        """
        data = (_MARK if self._data.startswith(_MARK) else b"") + text.encode()
        if data == self._data:
            return False
        target = self.path.resolve()
        if target.read_bytes() != self._data:
            raise UsageError(
                f"{self.shown} was changed by somebody else in the meantime; nothing was written",
                hint="run it again",
            )
        temporary = ""
        try:
            number, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
            with os.fdopen(number, "wb") as stream:
                stream.write(data)
            Path(temporary).chmod(target.stat().st_mode & 0o7777)
            Path(temporary).replace(target)
        except OSError as error:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
            raise MlopsError(
                f"{self.shown} cannot be written: {error.strerror}", hint="it is as it was"
            ) from None
        self._data, self.text = data, text
        return True


def _from_here(path: Path) -> str:
    """The path as people in this folder would write it."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
