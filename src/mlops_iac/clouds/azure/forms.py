"""How Azure's own texts look."""

from __future__ import annotations

from mlops_iac.clouds.knowledge import Forms
from mlops_iac.emulators.azure.provider import SUBSCRIPTION

FORMS = Forms(
    account=SUBSCRIPTION,
    example_account="4f1c9a52-7d3e-4b0c-9e61-0a8d2c5b7f36",
    example_region="westeurope",
    region=r"[a-z]+\d?",
    # The emulator's, one digit all over, and what Microsoft's documentation takes.
    placeholders=(
        r"00000000-0000-4000-8000-[0-9a-f]{12}|"
        r"(?P<digit>[0-9a-f])(?P=digit){7}-(?P=digit){4}-(?P=digit){4}-(?P=digit){4}-(?P=digit){12}"
        r"|12345678-1234-1234-1234-1234567890ab"
    ),
    reference=r"/subscriptions/|azureml:|https://[a-z0-9-]+\.vault\.azure\.net/",
    secret_stores=("keyvaultref:", "https://"),
    credentials={
        "a key of a storage account": r"AccountKey=[A-Za-z0-9+/]{86}==",
        "a shared access signature": r"[?&]sig=[A-Za-z0-9%+/]{40,}",
    },
)
