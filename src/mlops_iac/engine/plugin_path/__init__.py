"""A folder on the path of every Python that the real CLI starts for us; see `sitecustomize`."""
