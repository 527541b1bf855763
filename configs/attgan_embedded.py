# The Attentive GAN on the embedded data set (data/drawn_raindrops, made by
# tools/dataset_converters/draw_dataset.py), small enough to train on two CPU cores in minutes.
# The network is the published one; crops, batches and iterations are small, and VGG is left out. More
# iterations score lower on the test pictures: 48 pairs are few.
_base_ = [
    '_base_/default_runtime.py',
    '_base_/models/attgan.py',
    '_base_/datasets/raindrop.py',
    '_base_/schedules/adam_100k.py',
]

data_root = 'data/drawn_raindrops'
train_pipeline = [
    dict(type='LoadRainyCleanPair', channel_order='rgb'),
    dict(type='RaindropMask', threshold=30, rule='mean', dilation=3),
    dict(type='PairedCrop', crop_size=(64, 64)),
    dict(type='PairedFlip', probability=0.5),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    pin_memory=False,
    dataset=dict(data_root=f'{data_root}/train', pipeline=train_pipeline, cache=True),
)
val_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root=f'{data_root}/test_a')
)
test_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(data_root=f'{data_root}/test_a')
)

model = dict(perceptual_loss=None, discriminator_start=250, adversarial_start=270)
optim_wrapper = dict(
    generator=dict(optimizer=dict(lr=5e-4)), discriminator=dict(optimizer=dict(lr=5e-4))
)
auto_scale_lr = dict(base_batch_size=2)
train_cfg = dict(max_iters=400, val_interval=100)
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(interval=100))
custom_hooks = [
    dict(type='StopOnNonFinite'),
    dict(type='SampleGrid', interval=100, count=4),
    dict(type='ScoreFiles'),
    dict(type='RestoredPictures'),
]
