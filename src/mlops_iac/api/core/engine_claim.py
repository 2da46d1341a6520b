"""Which engine holds `local`: each keeps a state of its own, over one and the same emulated cloud.

The first `up` claims the stack for its engine, a complete `destroy` gives it back. In between every
command uses that engine, and the other one is refused: it would create everything a second time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops_iac.errors import UsageError

EMBEDDED, PULUMI = "embedded", "pulumi"


@dataclass(frozen=True, slots=True)
class Holder:
    """The claim on `local` in a project's work folder."""

    work: Path

    @property
    def _file(self) -> Path:
        return self.work / "state" / "local.engine"

    def engine(self) -> str:
        """Return the engine that holds `local`; empty where none does. Raises UsageError."""
        try:
            name = self._file.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise UsageError(f"cannot read {self._file}: {error.strerror}") from None
        if name not in (EMBEDDED, PULUMI):
            raise UsageError(
                f"{self._file} names no engine: {name[:40]!r}",
                hint=f"write `{EMBEDDED}` or `{PULUMI}` into it, whichever deployed last",
            )
        return name

    def choose(self, asked: str | None) -> str:
        """Return the engine to use. Raises UsageError where another one holds the stack."""
        holder = self.engine()
        if asked and holder and asked != holder:
            raise UsageError(
                f"local is deployed by the {holder} engine; {asked} has a state of its own and"
                " would create everything a second time",
                hint=f"leave --engine out, or destroy it first: mlops-iac destroy --engine {holder}",
            )
        return asked or holder or EMBEDDED

    def claim(self, name: str) -> None:
        """Take `local` for an engine, before it changes anything. Raises UsageError if it is taken.

        The file is made in one step, so that of two deployments begun at once only one goes on.
        """
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("x", encoding="utf-8") as stream:
                stream.write(name + "\n")
        except FileExistsError:
            self.choose(name)
        except OSError as error:
            raise UsageError(f"cannot write {self._file}: {error.strerror}") from None

    def release(self) -> None:
        """Give `local` back; the next `up` chooses anew."""
        self._file.unlink(missing_ok=True)
