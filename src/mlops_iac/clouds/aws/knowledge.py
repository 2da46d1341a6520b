"""What is true of AWS types, each fact in one table."""

from __future__ import annotations


class AwsKnowledge:
    """What is true of AWS types, each fact in one table."""

    def replaces(self, type_: str, path: str) -> tuple[bool | None, str]:
        """As hashicorp/aws says."""
        from mlops_iac.emulators.aws.facts import replaces

        return replaces(type_, path)

    def facts_digest(self) -> str:
        """That of the facts generated from the provider."""
        from mlops_iac.emulators.aws.facts import digest

        return digest()
