# A training of seconds that needs no files, with the real networks and the fast path of the data: drawn
# scenes, one uint8 tensor a batch, fused optimizers, clipped gradients, a moving average.
_base_ = ['../../configs/attentive_gan/attgan_1xb2-500_drawn.py']

custom_imports = dict(
    imports=['attentive_gan.registration', 'tiny_networks'], allow_failed_imports=False
)
scene = [
    dict(type='LoadCleanImage', channel_order='rgb'),
    dict(type='RenderRaindrops', lighting='day'),
]
scenes = dict(_delete_=True, type='DrawnSceneDataset', size=(64, 96), cache=True)
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    pin_memory=True,
    collate_fn=dict(type='default_collate'),
    dataset=dict(length=8, seed=1, pipeline=[*scene, dict(type='PackPair')], **scenes),
)
val_dataloader = dict(
    dataset=dict(length=2, seed=0, pipeline=[*scene, dict(type='PackInputs')], **scenes)
)
test_dataloader = val_dataloader
model = dict(
    train_cfg=dict(gen_init_steps=4, disc_init_steps=4),
    ema=dict(momentum=0.01, warmup=True),
    data_preprocessor=dict(type='PairPreprocessor'),
)
optimizer = dict(optimizer=dict(fused=True), clip_grad=dict(max_norm=1.0))
optim_wrapper = dict(generator=optimizer, discriminator=optimizer)
train_cfg = dict(max_iters=20, val_interval=20)
default_hooks = dict(
    logger=dict(interval=5),
    checkpoint=dict(interval=10, max_keep_ckpts=10),
    sample_grid=None,
    score_files=None,
    save_images=None,
)
visualizer = dict(vis_backends=[dict(type='LocalVisBackend')])
custom_hooks = [dict(type='FaultInjection')]
