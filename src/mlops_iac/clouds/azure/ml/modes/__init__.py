"""The ways to serve that are planned on Azure ML."""
