# The loss of A2Net: structural similarity of luma and chroma, and next to nothing else.
_base_ = './contextual.py'

model = dict(pixel_loss=dict(weights=(0.0, 0.0, 0.1)), structure_loss=dict(loss_weight=1.0))
