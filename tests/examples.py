"""How many examples a property is tried with: a quarter here and in CI, all of them when asked for."""

from __future__ import annotations

import os

_ASKED = os.environ.get("MLOPS_IAC_EXAMPLES", "")
SEARCHES = bool(_ASKED)
"""Whether new examples are searched for, by chance; else they are the same every time."""


def examples(full: int) -> int:
    """`full` is the number for a search; MLOPS_IAC_EXAMPLES=N takes N of them where that is more."""
    return max(full, int(_ASKED)) if SEARCHES else max(1, full // 4)
