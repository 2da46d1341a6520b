"""What is deployed and serves, and what comes next."""
