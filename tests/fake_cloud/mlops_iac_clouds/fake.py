"""What `mlops_iac.clouds.registry` reads of a cloud that another distribution brings."""

CLOUDS = {"fake": "fake_cloud.cloud:FAKE"}
PLATFORMS = {
    "fake": {
        "cloud": "fake",
        "platform": "fake_cloud.platform:PLATFORM",
        "options": "fake_cloud.options:FakeOptions",
        "entry_options": "fake_cloud.options:FakeEntryOptions",
    }
}
