"""How the user's code is run on this machine: its environment, its processes, its archives."""
