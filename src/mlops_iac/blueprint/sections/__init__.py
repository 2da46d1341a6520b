"""The sections of a blueprint as classes: the one definition of the language.

Reader, JSON Schema, pydantic models, reference documentation and diagnostics are all derived from
these classes. They only declare; what holds between sections is checked in
`mlops_iac.blueprint.checks`.

The modules do without `from __future__ import annotations`: evaluating annotations from text costs
more than making them.
"""
