# Restormer (Zamir et al., CVPR 2022) from MMagic, of its authors' size for rain, on the Raindrop data set.
_base_ = '../_base_/baseline_raindrop.py'

model = dict(generator=dict(type='Restormer'))
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=3e-4, weight_decay=1e-4), clip_grad=dict(max_norm=0.01)
)
