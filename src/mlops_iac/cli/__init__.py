"""The command line: words and pictures around `mlops_iac.api`, nothing else.

One click command per module; a module is imported only when its command runs, so that
`validate` never pays for a provider SDK.
"""

from __future__ import annotations

from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and exit with Pulumi's exit codes."""
    import gc
    import sys

    # Imports make many objects and no garbage, and what one capture leaves goes with the process:
    # looking for it costs a preview, which makes 210,000 objects, a twelfth.
    gc.set_threshold(500_000, 20, 20)
    try:
        from mlops_iac.cli._output import guard

        guard()
        from mlops_iac.cli._app import run

        code = run()
    except KeyboardInterrupt:  # before there is who catches it, or behind his last words
        sys.stderr.write("cancelled: interrupted\n")
        code = 8
    gc.freeze()  # the interpreter looks for garbage once more before it ends
    raise SystemExit(code)
