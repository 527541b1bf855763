# The Attentive GAN on nothing but drawn scenes, small enough to train on two CPU cores in minutes. For
# training, raindrops are rendered as they are needed, new ones each time; the test pairs are files,
# data/drawn_raindrops/test_a, which tools/quickstart.sh makes with render_raindrops.py.
# The network is the published one; crops, batches and iterations are small, and VGG is left out.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/models/attgan.py',
    '_base_/datasets/raindrop.py',
    '_base_/schedules/adam_100k.py',
]

data_root = 'data/drawn_raindrops'
train_pipeline = [
    dict(type='LoadCleanImage', channel_order='rgb'),
    dict(type='RenderRaindrops', level='heavy', lighting='day'),
    dict(type='PairedCrop', crop_size=(64, 64)),
    dict(type='PairedFlip', probability=0.5),
    dict(type='PackPair'),
]
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    dataset=dict(
        _delete_=True,
        type='DrawnSceneDataset',
        length=200,
        size=(160, 240),
        seed=1,  # the scenes of the test pairs have seed 0
        pipeline=train_pipeline,
        cache=True,
    ),
)
val_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root=f'{data_root}/test_a')
)
test_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root=f'{data_root}/test_a')
)

model = dict(perceptual_loss=None, discriminator_start=400, adversarial_start=420)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=5e-4)), discriminator=dict(optimizer=dict(lr=5e-4))
)
auto_scale_lr = dict(base_batch_size=2)
train_cfg = dict(max_iters=500, val_interval=100)
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=100))
custom_hooks = [
    dict(type='CheckInvalidLossHook'),
    dict(type='SampleGridHook', interval=100, count=4),
    dict(type='ScoreFilesHook'),
    dict(type='SaveImagesHook'),
]
