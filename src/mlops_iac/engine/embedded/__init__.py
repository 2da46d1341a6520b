"""The program run in-process: monitor → planner → executor → state."""
