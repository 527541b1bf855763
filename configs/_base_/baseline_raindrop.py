# What the baselines share: data, crops, metrics and schedule of attgan_raindrop.py, one network
# and one loss. A config adds its generator, and the optimizer of its source if that differs.
_base_ = ['default_runtime.py', 'datasets/raindrop.py', 'schedules/adam_100k.py']

model = dict(
    type='BaseEditModel',
    pixel_loss=dict(type='CharbonnierLoss', loss_weight=1.0, reduction='mean'),
    data_preprocessor=dict(type='PairPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]),
)
optim_wrapper = dict(
    _delete_=True, type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-4, betas=(0.9, 0.999))
)
