# The change is added to the whole image, whatever the attention map says.
_base_ = '../attgan_small_1xb32-60min_rendered.py'

model = dict(generator=dict(gated=False))
