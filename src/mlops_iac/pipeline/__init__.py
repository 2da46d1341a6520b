"""The ML lifecycle as typed steps, and one printer per orchestrator."""
