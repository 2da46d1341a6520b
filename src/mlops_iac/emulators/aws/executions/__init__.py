"""Executions of pipelines in the emulated SageMaker: runs on this machine, as the service shows them.

`mlops-iac run` leaves a record and logs of every run in the project's work folder. They are read
whenever a client asks; what is shown is made of them and of the pipeline's definition, and a run waits
for nothing.
"""
