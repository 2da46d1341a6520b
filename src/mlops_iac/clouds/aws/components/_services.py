"""Services of AWS that jobs and endpoints in a private network need. Standard library only."""

from __future__ import annotations

# What principals of services end in, in every partition; `_context` knows the exceptions.
PRINCIPAL_SUFFIX = "amazonaws.com"

# Those with an interface endpoint, as it is called: `com.amazonaws.<region>.ecr.api`. S3 is reached
# through a gateway endpoint besides.
PRIVATE_SERVICES = (
    "sagemaker.api",
    "sagemaker.runtime",
    "ecr.api",
    "ecr.dkr",
    "logs",
    "monitoring",
    "kms",
    "sts",
)
