"""Building blocks on AWS, one Pulumi ComponentResource each."""
