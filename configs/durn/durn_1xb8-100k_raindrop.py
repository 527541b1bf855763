# DuRN-S-P (Liu et al., CVPR 2019) on the Raindrop data set.
_base_ = '../_base_/baseline_raindrop.py'

model = dict(generator=dict(type='DuRNSP', channels=128))
optim_wrapper = dict(optimizer=dict(lr=1e-4))  # liu-vis/DualResidualNetworks, train/raindrop.py
