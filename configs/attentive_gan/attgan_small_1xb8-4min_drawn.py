# The small Attentive GAN for four minutes on two CPU cores, on heavy drops of one kind that are rendered on
# small drawn scenes during training. The test pairs are files, data/drawn_raindrops/test_a, which
# tools/quickstart.sh makes.
_base_ = './attgan_small_1xb32-60min_rendered.py'

train_dataloader = dict(
    batch_size=8,
    crop_size=96,
    pool_size=400,
    start_size=32,
    num_workers=1,
    images_per_batch=2,
    dataset=dict(
        length=2000,
        size=(160, 240),
        night_share=0.0,
        pipeline=[
            dict(type='LoadCleanImage', channel_order='rgb'),
            dict(
                type='RenderPairs',
                count=4,
                raindrops=dict(level='heavy', lighting='day'),
                frame_width=(240, 240),
                exposure=(0.8, 1.25),
                white_balance=0.05,
                jpeg_share=0.0,
                defocus_share=0.0,
                sharp_target=True,
            ),
        ],
    ),
)
pairs = dict(
    _delete_=True,
    type='RaindropDataset',
    data_root='data/drawn_raindrops/test_a',
    pipeline=[dict(type='LoadRainyCleanPair', channel_order='rgb'), dict(type='PackInputs')],
    test_mode=True,
)
val_dataloader = dict(num_workers=0, dataset=pairs)
test_dataloader = dict(num_workers=0, dataset=pairs)
val_evaluator = dict(
    metrics=[dict(type='RaindropScores', protocols=('qian', 'bt601'), prefix='test_a')]
)
test_evaluator = val_evaluator
train_cfg = dict(minutes=4)
default_hooks = dict(logger=dict(interval=20), checkpoint=dict(save_best='test_a/qian_psnr'))
