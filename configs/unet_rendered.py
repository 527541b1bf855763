# A small U-Net on drawn scenes with rendered raindrops: needs no files, and trains on two CPU cores.
# It made projects/attentive_gan/weights/unet_rendered.md, from which those of attgan_small.py started.
_base_ = './_base_/default_runtime.py'

train_pipeline = [
    dict(type='LoadCleanImage', channel_order='rgb'),
    # A part is enough: the frame around it, to which the drops' size is relative, has 720 pixels.
    dict(type='PairedCrop', crop_size=(256, 256), keys=['gt']),
    dict(type='RenderRaindrops', frame_width=720),
    dict(type='PairedScale', limits=(0.8, 1.25)),
    dict(type='PairedCrop', crop_size=(128, 128)),
    dict(type='PairedFlip', probability=0.5),
    dict(type='PairedColourJitter'),
    dict(
        type='RandomJPEGCompression',
        keys=['img'],
        params=dict(quality=[60, 95], prob=0.3),
        bgr2rgb=True,
    ),
    dict(type='PackPair'),
]
test_pipeline = [
    dict(type='LoadCleanImage', channel_order='rgb'),
    dict(type='RenderRaindrops', frame_width=720),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    batch_size=8,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    collate_fn=dict(type='collate_pairs'),
    sampler=dict(type='SeededSampler'),
    dataset=dict(
        type='DrawnSceneDataset',
        length=600,
        size=(320, 480),
        night_share=0.05,
        seed=1,
        pipeline=train_pipeline,
        cache=True,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='DrawnSceneDataset',
        length=12,
        size=(320, 480),
        seed=0,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('qian', 'bt601'), prefix='rendered')],
)
test_evaluator = val_evaluator

model = dict(
    type='BaseEditModel',
    generator=dict(type='RestorationUNet', channels=(64, 96, 128, 160), blocks=2, shuffle=4),
    pixel_loss=dict(type='CharbonnierLoss', loss_weight=1.0, reduction='mean'),
    data_preprocessor=dict(type='PairPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]),
)
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
    logger=dict(interval=50), checkpoint=dict(interval=500, save_best='rendered/qian_psnr')
)
custom_hooks = [
    dict(type='CheckInvalidLossHook'),
    dict(type='SampleGridHook', interval=500, count=4),
    dict(type='ScoreFilesHook'),
    dict(type='SaveImagesHook'),
    dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.002),
]
