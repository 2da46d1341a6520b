"""What a process's environment says about a cloud, kept from programs, captures and providers."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator

from mlops_iac.clouds.registry import variables

_HIDDEN: list[dict[str, str]] = []
_HIDING = threading.Lock()


@contextlib.contextmanager
def without_environment() -> Iterator[None]:
    """Without what this process's environment says about a cloud: SDKs read it as configuration.

    What a stack is made of is in its program and its configuration, on every machine the same.
    """
    with _HIDING:
        names = [name for name in os.environ if name.startswith(variables())]
        _HIDDEN.append({name: os.environ.pop(name) for name in names})
    try:
        yield
    finally:
        with _HIDING:
            # The last of several to end puts everything back.
            if len(_HIDDEN) == 1:
                os.environ.update(_HIDDEN[0])
                _HIDDEN.clear()
            else:
                _HIDDEN[0].update(_HIDDEN.pop())
