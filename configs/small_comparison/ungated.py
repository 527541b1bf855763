# The result is the autoencoder's image, as published, not a change that the attention map admits.
_base_ = '../attgan_small.py'

model = dict(generator=dict(gated=False))
