"""Calls of what serves: what is sent, and what comes back."""
