"""The sections of a blueprint as pydantic models: the one definition of the language.

Reader, JSON Schema, reference documentation and diagnostics are all derived from these models.
They only declare; what holds between sections is checked in `mlops_iac.blueprint.checks`.

The modules do without `from __future__ import annotations`: pydantic would have to evaluate every
annotation from its text again, a third of what importing them costs.
"""
