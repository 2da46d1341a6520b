"""The process that is the emulated AWS, and boto3 clients of it.

Keeping moto's state over a restart is not offered: its backends are live object graphs with locks,
threads and temporary files, and pickling them fails.
"""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import Any

from mlops_iac.emulators.common.info import EmulatorInfo
from mlops_iac.emulators.common.server import Server

ACCOUNT = "123456789012"


class AwsServer(Server):
    """One moto process."""

    label = "AWS"
    module = "mlops_iac.emulators.aws.moto_process"
    needs = ("moto", "boto3", "flask_cors")
    # MOTO_ACCOUNT_ID would be every call's, whoever calls. moto asks botocore for regions, which a
    # profile that is not there keeps from answering.
    foreign = ("AWS_", "MOTO_ACCOUNT_ID")
    variables = MappingProxyType(
        {
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            # Attachments of AWS-managed policies need those policies to exist.
            "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
        }
    )


def client(
    service: str, info: EmulatorInfo, region: str = "eu-west-1", account: str = ACCOUNT
) -> Any:
    """A boto3 client of the emulator; sessions and models are shared and cached."""
    from mlops_iac.emulators.aws.clients import clients_for

    return clients_for(info.url, region, account).get(service)
