"""SageMaker Pipelines: the definition that is printed of a lifecycle, and checks of its graph."""
