# Raindrops rendered on drawn scenes, new ones in every epoch: needs no files. Validation renders the same
# raindrops on the same scenes every time.
_base_ = './loaders.py'

train_pipeline = [
    dict(type='LoadCleanImage', channel_order='rgb'),
    # A crop is enough; `frame_width` is the width of the whole frame, which determines the drops' size.
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
    num_workers=1,
    pin_memory=False,
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
    num_workers=1,
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
