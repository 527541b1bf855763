"""User-level functions that the command line and other programs call."""
