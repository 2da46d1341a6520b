"""What a change does, made readable for whoever approves it.

`semantics` turns a plan into a `Review` (`model`): noise folded (`noise`), risks called out
(`risks`), each change traced to its cause (`causes`) and to what it pulls along.
`saved` is its file form. Nothing here runs a program: captures are handed in.
"""

from __future__ import annotations

from mlops_iac.review.model import Cause, Review, ReviewedStep, Risk

__all__ = ["Cause", "Review", "ReviewedStep", "Risk"]
