# A training of seconds: tiny networks, everything else as in the real configs.
_base_ = ['../../configs/attentive_gan/attgan_1xb2-500_drawn.py']

custom_imports = dict(
    imports=['attentive_gan.registration', 'tiny_networks'], allow_failed_imports=False
)
model = dict(
    generator=dict(_delete_=True, type='TinyGenerator'),
    discriminator=dict(_delete_=True, type='TinyDiscriminator'),
    train_cfg=dict(gen_init_steps=1, disc_init_steps=1),
)
train_pipeline = [
    dict(type='WorkerFault'),
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
default_hooks = dict(
    logger=dict(interval=1),
    checkpoint=dict(interval=2, max_keep_ckpts=10),
    sample_grid=None,
)
visualizer = dict(vis_backends=[dict(type='LocalVisBackend')])
custom_hooks = [dict(type='FaultInjection')]
