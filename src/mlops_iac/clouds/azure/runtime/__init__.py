"""What runs in jobs of Azure ML besides `mlops_iac.runtime`; each module is packed beside it and imports nothing of ours."""
