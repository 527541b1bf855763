# PReNet (Ren et al., CVPR 2019) with a GRU, on the Raindrop data set.
_base_ = '../_base_/baseline_raindrop.py'

model = dict(generator=dict(type='PReNet', num_stages=6, cell='gru'))
optim_wrapper = dict(optimizer=dict(lr=1e-3))  # csdwren/PReNet, train_PReNet.py
