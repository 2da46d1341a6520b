"""Lines that fit into the terminal that reads them; into a file or a pipe they go as they are."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence


def columns() -> int:
    """The width of the terminal that stdout is; 0, which is any width, where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def fits(lines: Sequence[str], width: int) -> bool:
    """Whether no line is wider."""
    return not width or all(len(line) <= width for line in lines)


def folded(text: str, mark: str, width: int) -> list[str]:
    """The text in lines of at most `width`, broken behind a `mark`; one part may be wider."""
    parts = text.split(mark)
    lines = [parts[0]]
    for part in parts[1:]:
        longer = f"{lines[-1]}{mark}{part}"
        if fits([longer], width):
            lines[-1] = longer
        else:
            lines[-1] += mark.rstrip()
            lines.append(part)
    return lines
