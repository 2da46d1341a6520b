"""What is true of AWS types, each fact in one table."""

from __future__ import annotations


class AwsKnowledge:
    """What is true of AWS types, each fact in one table."""
