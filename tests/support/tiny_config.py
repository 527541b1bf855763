# A training of seconds: tiny networks, everything else as in the real configs.
_base_ = ['../../configs/attgan_embedded.py']

custom_imports = dict(
    imports=['attentive_gan.registration', 'tiny_networks'], allow_failed_imports=False
)
model = dict(
    generator=dict(_delete_=True, type='TinyGenerator'),
    discriminator=dict(_delete_=True, type='TinyDiscriminator'),
    discriminator_start=1,
    adversarial_start=2,
)
train_pipeline = [
    dict(type='LoadRainyCleanPair', channel_order='rgb'),
    dict(type='RaindropMask'),
    dict(type='PairedCrop', crop_size=(32, 32)),
    dict(type='PairedFlip', probability=0.5),
    dict(type='PackPair'),
]
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='RaindropDataset',
        data_root='data/drawn_raindrops/test_a',
        pipeline=train_pipeline,
    )
)
train_cfg = dict(max_iters=6, val_interval=3)
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(interval=2, max_keep_ckpts=10))
visualizer = dict(vis_backends=[dict(type='LocalVisBackend')])
custom_hooks = [
    dict(type='CheckInvalidLossHook'),
    dict(type='ScoreFilesHook'),
    dict(type='SaveImagesHook'),
    dict(type='FaultInjection'),
]
