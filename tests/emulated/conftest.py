"""One moto process for all emulated tests of a session."""

from __future__ import annotations

import sys

import pytest

from mlops_iac.emulators.aws import server
from mlops_iac.workload.environments import OVERRIDE


@pytest.fixture(scope="session")
def moto(tmp_path_factory):
    """The running emulator (`EmulatorInfo`); models are served by the interpreter of the tests."""
    work = tmp_path_factory.mktemp("emulator") / ".mlops-iac"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(OVERRIDE, sys.executable)
        info = server.AwsServer(work).ensure()
    yield info
    server.AwsServer(work).stop()


@pytest.fixture(scope="session")
def aws_provider(moto):
    """The provider on that emulator, configured for the stack `local`."""
    from mlops_iac.emulators.aws.provider import AwsProvider

    provider = AwsProvider(moto.url)
    provider.configure("local", {"region": "eu-west-1"})
    return provider
