"""The program run in-process: monitor → planner → executor → state.

- `program` runs a compiled program against `monitor`, which turns the SDK's requests (`wire`,
  `registration`) into calls of a handler; it is the only module that knows the SDK's internals.
- `capture` is the handler that answers with stand-ins: the symbolic graph.
- `deployment` is the handler that plans (`planner`) and performs (`executor`) each registration,
  and afterwards what has to go (`removal`).
- `state`, `journal` and `recovery` keep what is known, and keep it through a `kill -9`.

Nothing here is imported before it is needed: naming the engine must not import the SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_iac.engine.embedded.engine import EmbeddedEngine

if TYPE_CHECKING:
    from mlops_iac.emulators.provider import Provider
    from mlops_iac.engine.protocol import StackTarget
    from mlops_iac.graph.model import ResourceGraph

__all__ = ["EmbeddedEngine", "capture"]


def capture(target: StackTarget, provider: Provider) -> ResourceGraph:
    """Run the program with stand-ins for everything computed; see `capture.capture`."""
    from mlops_iac.engine.embedded.capture import capture as run

    return run(target, provider)
