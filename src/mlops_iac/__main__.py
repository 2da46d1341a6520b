"""`python -m mlops_iac`."""

from mlops_iac.cli import main

main()
