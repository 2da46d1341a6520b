"""Opens Azure ML before it is whole, as `mlops_iac.clouds.registry` reads another distribution's cloud."""

CLOUDS = {"azure": "mlops_iac.clouds.azure.cloud:AZURE"}
PLATFORMS = {
    "azure-ml": {
        "cloud": "azure",
        "platform": "mlops_iac.clouds.azure.ml:AZURE_ML",
        "options": "mlops_iac.clouds.azure.options:AzureMlOptions",
        "entry_options": "mlops_iac.clouds.azure.options:AzureMlEntryOptions",
    }
}
