# What the baselines share, whatever their data: one network and one loss, schedule and runtime. A config
# adds its generator and a data set, and the optimizer of its source if that differs.
_base_ = ['default_runtime.py', 'schedules/adam_100k.py']

model = dict(
    type='BaseEditModel',
    pixel_loss=dict(type='CharbonnierLoss', loss_weight=1.0, reduction='mean'),
    data_preprocessor=dict(type='PairPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]),
)
optim_wrapper = dict(
    _delete_=True, type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-4, betas=(0.9, 0.999))
)
