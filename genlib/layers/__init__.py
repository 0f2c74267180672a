"""What model families are built from."""
