"""Captured resources: canonical form, redaction, lock file, diff, pictures."""
