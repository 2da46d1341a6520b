"""The ML lifecycle as typed tasks, and what executes them on this machine. Knows no cloud."""
