"""Lineage in the emulated SageMaker: what its jobs, versions and endpoints were made of.

Nothing is kept: the graph is made of what there is whenever a client asks.
"""
