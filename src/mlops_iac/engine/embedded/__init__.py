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

from mlops_iac.engine.embedded.engine import EmbeddedEngine

__all__ = ["EmbeddedEngine"]
