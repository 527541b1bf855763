# 4 steps of the attentive-recurrent network, the paper's choice, beside its ablations.
_base_ = '../attgan_1xb8-100k_raindrop.py'

model = dict(generator=dict(num_steps=4))
