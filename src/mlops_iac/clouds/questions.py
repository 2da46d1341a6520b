"""Questions to a cloud that may go unanswered."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mlops_iac.clouds.access import Access, Session
from mlops_iac.errors import MlopsError

T = TypeVar("T")


class Questions:
    """Asks a cloud that may not answer. `notes` say what could not be asked, and why, once each.

    `of` names the stack to a command.
    """

    def __init__(self, access: Access, session: Session, stack: str, of: str) -> None:
        self.session = session
        self.notes: list[str] = []
        self.of = of
        self._access = access
        self._stack = stack
        self._silent = False

    def ask(self, what: str, question: Callable[[], T], gone: T | None = None) -> T | None:
        """The answer; None where there is none, with a note that says so about `what`.

        `gone` is the answer where the cloud does not have what is asked for.
        """
        if self._silent:
            return None
        try:
            return question()
        except MlopsError as error:  # the SDK is missing, an emulator hangs
            self._silent = True
            self.notes.append(f"{self._stack} was not asked: {error.message}")
        except Exception as error:
            failure = self._access.failure(error)
            if failure is None:
                raise
            if failure == "gone" and gone is not None:
                return gone
            if failure in ("gone", "refused"):
                self.notes.append(f"not known: {what}: {error}")
            else:
                self._silent = True
                self.notes.append(f"{self._stack} was not asked: {error}")
        return None
