"""What a project says: its blueprint, its templates, its folders and its git repository."""
