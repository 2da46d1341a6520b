"""SageMaker's endpoints as they serve: what moto has of them is a status and a canned answer.

Its modules are imported by moto's process alone, when its SageMaker is first asked: they import moto.
"""

NOT_EMULATED = "The emulated AWS runs no containers"
"""How FailureReason begins where AWS would serve, and this machine cannot."""
