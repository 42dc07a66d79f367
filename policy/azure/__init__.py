"""What Microsoft's own clients ask of Azure, answered by this registry."""
