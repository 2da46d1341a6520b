"""Code that runs in the cloud, in the blueprint's own terms. Imports nothing of the rest.

`contract` names files and settings, `rows` reads datasets, `data` checks and windows them, `step`
runs one script of the workload, `inference` serves the model, `files` packs all of it beside the
workload.
Everything runs on Python 3.9 and newer with the standard library alone: the container is not ours.
"""
