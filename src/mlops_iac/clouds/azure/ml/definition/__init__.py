"""Azure ML pipelines: the components, the pipeline and the job that are printed of a lifecycle."""
