# A small U-Net on drawn scenes with rendered raindrops, for two CPU cores. The weights of
# attgan_small.py started from it.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/unet.py',
    '../_base_/datasets/drawn_scenes.py',
]

optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=8e-4, betas=(0.9, 0.99)),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, end=200),
    dict(type='CosineAnnealingLR', by_epoch=False, eta_min=1e-6),
]
auto_scale_lr = dict(enable=False, base_batch_size=8)

train_cfg = dict(type='ResumableTrainLoop', max_iters=6500, val_interval=500)
val_cfg = dict(type='MultiValLoop')
test_cfg = dict(type='MultiTestLoop')
default_hooks = dict(
    logger=dict(interval=50),
    checkpoint=dict(interval=500, save_best='rendered/qian_psnr'),
    sample_grid=dict(interval=500),
)
custom_hooks = [dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.002)]
