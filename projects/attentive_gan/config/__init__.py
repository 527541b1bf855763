"""MMEngine configs: reading, changing and building from them."""
