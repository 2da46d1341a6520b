"""How what is deployed to AWS is reached."""

from __future__ import annotations


class AwsAccess:
    """How what is deployed to AWS is reached."""
