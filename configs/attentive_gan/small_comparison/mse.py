# The published squared error, with the structural loss.
_base_ = './contextual.py'

model = dict(pixel_loss=dict(criterion='mse', weights=(0.6, 0.8, 1.0), loss_weight=4.0))
