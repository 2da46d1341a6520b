"""Another region for `local` under the real Pulumi CLI: one `up` moves it, as the embedded engine does."""

from __future__ import annotations

from pathlib import Path

from mlops_iac.emulators.aws import server
from mlops_iac.emulators.aws.provider import AwsProvider
from mlops_iac.engine.protocol import StackTarget
from mlops_iac.engine.pulumi_cli import PulumiEngine
from tests.engine_support.programs import make_target
from tests.oracles.pulumi_cli import NEEDED

pytestmark = NEEDED
PROGRAM = 'import pulumi_aws as aws\naws.cloudwatch.LogGroup("log", name="/moved")\n'


def test_one_up_moves_it(tmp_path: Path) -> None:
    cloud = server.AwsServer(tmp_path / "cloud").ensure()
    engine = PulumiEngine({"aws": AwsProvider(cloud.url)})

    def at(region: str) -> StackTarget:
        return make_target(tmp_path, PROGRAM, config={"aws:region": region}, region=region)

    def logs(region: str) -> int:
        return len(server.client("logs", cloud, region).describe_log_groups()["logGroups"])

    try:
        assert engine.up(at("eu-west-1")).failures == {}
        assert engine.up(at("us-east-1")).failures == {}
        assert (logs("eu-west-1"), logs("us-east-1")) == (0, 1)
        assert engine.destroy(at("eu-west-1")).failures == {}
        assert logs("us-east-1") == 0
    finally:
        server.AwsServer(tmp_path / "cloud").stop()
