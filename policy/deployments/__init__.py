"""What is deployed from which image: records, receipts, workspaces. Knows no HTTP and no policy."""
