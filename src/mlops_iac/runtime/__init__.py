"""Code that runs in the cloud. Imports nothing of the rest."""
