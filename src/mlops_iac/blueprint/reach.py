"""Which folders the paths that a blueprint names may lead to.

A blueprint is text that others write, too: in a pull request, in a template. What it names is read,
packed and uploaded with the rights of whoever runs the tool, so a path may lead to what belongs to
it: the repository around it. What else it may lead to, its user says and not the project.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from mlops_iac.errors import UsageError
from mlops_iac.records import Record

FOLDERS = "MLOPS_IAC_FOLDERS"
"""Absolute folders, as in PATH, that the blueprints of this user may lead to as well."""


class Outside(UsageError):
    """A path that leads out of what a blueprint may reach."""


class Reach(Record):
    """`roots` are the folders; `fork` is for a tree that somebody outside the team wrote.

    What is refused of a fork is told without saying where on this machine it leads.
    """

    roots: tuple[Path, ...]
    fork: bool = False

    @classmethod
    def around(cls, folder: Path) -> Reach:
        """That of a blueprint in `folder`: the checkout around it, or `folder` where there is none.

        The user's own folders are added. Raises UsageError where one of those is not absolute.
        """
        here = Path(os.path.realpath(folder))
        return cls((checkout_around(here) or here, *_named()))

    @cached_property
    def _starts(self) -> list[str]:
        """What the paths within begin with, separator included."""
        return [os.path.join(os.path.realpath(each), "") for each in self.roots]  # noqa: PTH118

    def inside(self, path: Path, text: str = "") -> Path:
        """Where `path` leads, links followed; `text` is what was written for it.

        What is there is not opened. Raises Outside, and ValueError for what is no path.
        """
        real = os.path.realpath(path)
        if any(f"{real}{os.sep}".startswith(each) for each in self._starts):
            return Path(real)
        text, root = text or path.name, self._starts[0].rstrip(os.sep) or os.sep
        if self.fork:
            raise Outside(f"'{text}' leads out of the repository", hint="copy it into it")
        raise Outside(
            f"'{text}' leads to {real}, out of {root}",
            hint=f"copy it into {root}, or name its folder in {FOLDERS}",
        )


def checkout_around(folder: Path) -> Path | None:
    """The root of the checkout that `folder` lies in, as its path says it; None for none."""
    return next((each for each in (folder, *folder.parents) if is_checkout(each)), None)


def is_checkout(folder: Path) -> bool:
    """Whether git keeps something of its own there; not where nobody may look."""
    return os.path.exists(folder / ".git")  # noqa: PTH110 - Path.exists raises there


def _named() -> Iterator[Path]:
    for each in filter(None, os.environ.get(FOLDERS, "").split(os.pathsep)):
        if not os.path.isabs(each):  # noqa: PTH117 - as it is written
            raise UsageError(
                f"{FOLDERS} has '{each}', which is no absolute path",
                hint=f"write folders from the root, separated by '{os.pathsep}'",
            )
        yield Path(each)
