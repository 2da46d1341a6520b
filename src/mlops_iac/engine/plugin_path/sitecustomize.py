"""Lets the CLI's plugin for dynamic resources find the program's modules, after all others.

It runs `python -m pulumi.dynamic` in the program's folder and looks up provider classes by module
and name. The folder itself is kept off the path (`python_child`), where it would stand first and
hide modules of Python's own.
"""

import sys
from pathlib import Path

if "pulumi.dynamic" in sys.orig_argv:
    sys.path.append(str(Path.cwd()))
