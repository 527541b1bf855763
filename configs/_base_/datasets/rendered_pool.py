# Raindrops rendered on drawn scenes as training goes on: no files. Worker processes draw scenes and render
# on them; crops, scales and colours are drawn on the training device from a pool of their newest images.
raindrops = dict(
    regimes=dict(
        small=0.26, discs=0.2, ghosts=0.08, highlights=0.11, tiny=0.08, windscreen=0.15, veil=0.08,
        focused=0.04,
    )
)  # fmt: skip

train_dataloader = dict(
    type='PooledDataLoader',
    batch_size=64,
    crop_size=128,
    pool_size=1000,
    sampler=dict(type='SeededSampler'),
    dataset=dict(
        type='DrawnSceneDataset',
        length=20_000,
        size=(480, 720),
        night_share=0.1,
        seed=1,
        pipeline=[
            dict(type='LoadCleanImage', channel_order='rgb'),
            dict(type='RenderPairs', count=8, raindrops=raindrops, dry_share=0.12),
        ],
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=False,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='DrawnSceneDataset',
        length=16,
        size=(320, 480),
        night_share=0.1,
        seed=0,
        pipeline=[
            dict(type='LoadCleanImage', channel_order='rgb'),
            dict(type='RenderRaindrops', frame_width=720, **raindrops),
            dict(type='PackInputs'),
        ],
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('qian', 'bt601'), prefix='rendered')],
)
test_evaluator = val_evaluator
