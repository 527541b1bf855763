# 2 steps of the attentive-recurrent network; the paper and all other configs use 4.
_base_ = '../attgan_1xb8-100k_raindrop.py'

model = dict(generator=dict(num_steps=2))
