# Restormer (Zamir et al., CVPR 2022) from MMagic, of its authors' size for rain.
_base_ = '../baseline.py'

model = dict(generator=dict(type='Restormer'))
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=3e-4, weight_decay=1e-4), clip_grad=dict(max_norm=0.01)
)
