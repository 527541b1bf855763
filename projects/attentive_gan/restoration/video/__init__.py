"""Videos: reading, restoring frame by frame, writing."""
