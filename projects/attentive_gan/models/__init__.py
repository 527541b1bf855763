"""Networks, losses, editors (training steps) and data preprocessors."""
