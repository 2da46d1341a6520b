"""From one typed blueprint to a previewed and deployed MLOps platform."""

__version__ = "0.1.0"
