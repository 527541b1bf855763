# The Attentive GAN on drawn scenes, in minutes on two CPU cores: the published network on small crops and
# batches for 500 iterations, without VGG. Raindrops for training are rendered on the fly; the test pairs
# are files, data/drawn_raindrops/test_a, which tools/quickstart.sh makes.
_base_ = [
    '../_base_/default_runtime.py',
    '../_base_/models/attgan.py',
    '../_base_/datasets/raindrop.py',
    '../_base_/schedules/adam_100k.py',
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
test_dataloader = val_dataloader

model = dict(perceptual_loss=None, train_cfg=dict(gen_init_steps=400, disc_init_steps=20))
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=5e-4)), discriminator=dict(optimizer=dict(lr=5e-4))
)
auto_scale_lr = dict(base_batch_size=2)
train_cfg = dict(max_iters=500, val_interval=100)
default_hooks = dict(
    logger=dict(interval=20), checkpoint=dict(interval=100), sample_grid=dict(interval=100)
)
