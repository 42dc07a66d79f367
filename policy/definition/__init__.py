"""What a policy is: its file, its digest, its schema."""
