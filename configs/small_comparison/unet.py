# The U-Net of configs/unet_rendered.py on the same data: 13 GMAC at 720x480.
_base_ = '../attgan_small.py'

model = dict(
    _delete_=True,
    type='BaseEditModel',
    generator=dict(type='RestorationUNet', channels=(64, 96, 128, 160), blocks=2, shuffle=4),
    pixel_loss=dict(type='CharbonnierLoss', loss_weight=1.0, reduction='mean'),
    data_preprocessor=dict(type='PairPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]),
)
optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3, betas=(0.9, 0.99)),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = dict(_delete_=True, type='ProgressLR', shape='cosine', warmup=0.02, final=0.001)
custom_hooks = [dict(type='EMAHook', ema_type='ForeachEMA', momentum=0.001, warmup=True)]
