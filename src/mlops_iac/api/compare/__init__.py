"""What a change does: captures beside what a lock file, a commit or another reading gave."""
