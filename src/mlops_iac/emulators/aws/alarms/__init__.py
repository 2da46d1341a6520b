"""CloudWatch's alarms as they are judged: moto keeps them, and never looks at a metric.

`judging` is what the service documents; `mends` brings it to moto, in whose process alone it is imported.
"""
