# As drawn_scenes.py for fast devices: worker processes draw scenes and render raindrops into a pool of
# images; the training device samples crops, scales and colours from the pool.
_base_ = './drawn_scenes.py'

raindrops = dict(
    regimes=dict(
        small=0.26, discs=0.2, ghosts=0.08, highlights=0.11, tiny=0.08, windscreen=0.15, veil=0.08,
        focused=0.04,
    )
)  # fmt: skip

train_dataloader = dict(
    _delete_=True,
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
    num_workers=2,
    persistent_workers=False,
    dataset=dict(
        length=16,
        night_share=0.1,
        pipeline=[
            dict(type='LoadCleanImage', channel_order='rgb'),
            dict(type='RenderRaindrops', frame_width=720, **raindrops),
            dict(type='PackInputs'),
        ],
    ),
)
test_dataloader = val_dataloader
