"""Code that runs in the cloud, in the blueprint's own terms. Imports nothing of the rest.

`contract` names files and settings, `rows` reads datasets, `data` checks and windows them, `step`
runs one script of the workload, `inference` answers requests with the model, in the forms of `forms`,
`files` packs all of it beside the workload. `server` is not packed: prebuilt containers bring their
own, and every archive would change with it; it is started from here, or put into an image.
Everything runs on Python 3.9 and newer with the standard library alone: the container is not ours.
"""
