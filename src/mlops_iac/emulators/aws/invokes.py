"""Data sources that need no cloud: account, region with its zones, partition.

Everything else is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlops_iac.emulators.aws.api import Place
from mlops_iac.emulators.provider import ProviderError
from mlops_iac.values import Properties, Value

_CALLER = "aws:index/getCallerIdentity:getCallerIdentity"
_REGION = "aws:index/getRegion:getRegion"
_PARTITION = "aws:index/getPartition:getPartition"
_ZONES = "aws:index/getAvailabilityZones:getAvailabilityZones"
_POLICY = "aws:iam/getPolicyDocument:getPolicyDocument"


def invoke(token: str, args: Properties, place: Place) -> Mapping[str, Value]:
    """Answer a data source. Raises ProviderError for one that is not known, or unknown arguments."""
    region = args.get("region") or args.get("name") or place.region
    match token:
        case "aws:index/getCallerIdentity:getCallerIdentity":
            _only(token, args, ())
            arn = f"arn:{place.partition}:iam::{place.account}:root"
            return {
                "accountId": place.account,
                "arn": arn,
                "userId": place.account,
                "id": place.account,
            }
        case "aws:index/getRegion:getRegion":
            _only(token, args, ("region", "name"))
            endpoint = f"ec2.{region}.{place.suffix}"
            return {
                "region": region,
                "name": region,
                "id": region,
                "endpoint": endpoint,
                "description": str(region),
            }
        case "aws:index/getPartition:getPartition":
            _only(token, args, ())
            return {
                "partition": place.partition,
                "id": place.partition,
                "dnsSuffix": place.suffix,
                "reverseDnsPrefix": ".".join(reversed(place.suffix.split("."))),
            }
        case "aws:index/getAvailabilityZones:getAvailabilityZones":
            # Which filters apply is the account's; three zones stand for what is left.
            _only(token, args, ("state", "excludeZoneIds", "filters"))
            names = [f"{place.region}{letter}" for letter in "abc"]
            ids = [f"{_short(place.region)}-az{number}" for number in (1, 2, 3)]
            return {
                "id": place.region,
                "region": place.region,
                "names": names,
                "zoneIds": ids,
                "groupNames": [place.region],
            }
        case _ if token == _POLICY:
            raise ProviderError(
                f"{token} is not answered: write the policy with pulumi.Output.json_dumps"
            )
    raise ProviderError(
        f"the data source {token} is not known; there are {_CALLER}, {_REGION}, {_PARTITION}, {_ZONES}"
    )


def _short(region: str) -> str:
    """`euw1` of `eu-west-1`, as zone ids begin."""
    area, *middle, number = region.split("-")
    return area + "".join(part[0] for part in middle) + number


def _only(token: str, args: Properties, known: tuple[str, ...]) -> None:
    for name, value in args.items():
        if value is not None and name not in known:
            raise ProviderError(f"{token} takes no '{name}' here")
