# The result is the autoencoder's image, as published, not a change that the attention map admits.
_base_ = './contextual.py'

model = dict(generator=dict(gated=False))
