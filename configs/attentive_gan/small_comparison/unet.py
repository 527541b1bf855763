# The U-Net of unet/unet_1xb8-6k5_rendered.py on the data and schedule of the small Attentive GAN.
_base_ = [
    '../../_base_/default_runtime.py',
    '../../_base_/models/unet.py',
    '../../_base_/datasets/rendered_pool.py',
    '../../_base_/schedules/adam_timed.py',
]

optim_wrapper = dict(
    _delete_=True,
    type='OptimWrapper',
    optimizer=dict(type='Adam', lr=1e-3, betas=(0.9, 0.99)),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = dict(_delete_=True, type='ProgressLR', shape='cosine', warmup=0.02, final=0.001)
train_dataloader = dict(batch_size=32, crop_size=192, augmentation=dict(groups=2))
default_hooks = dict(checkpoint=dict(share=0.2, interval=-1, save_best='rendered/qian_psnr'))
custom_hooks = [dict(type='EMAHook', ema_type='ForeachEMA', momentum=0.001, warmup=True)]
