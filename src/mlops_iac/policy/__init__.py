"""Guard rails: what a stack must not be, one rule per file.

`rules/` holds the rules; `checking` runs them over a captured graph (`context` is what a rule may
ask), `config` reads `policies.yaml`, `suppression` the blueprint's `exceptions`, `team` a team's own
rules, `output` prints findings, and `pack` serves the same rules to the real Pulumi CLI.
"""

from __future__ import annotations

from mlops_iac.policy.model import Finding, Rule, Severity, Violation

__all__ = ["Finding", "Rule", "Severity", "Violation"]
