# The published squared error, with the structural loss.
_base_ = '../attgan_small.py'

model = dict(pixel_loss=dict(criterion='mse', weights=(0.6, 0.8, 1.0), loss_weight=4.0))
