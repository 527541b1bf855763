# Training without a data set of raindrops: they are rendered on your own clean photos, new ones in every
# epoch. Needs a folder of photos (searched recursively):
#   python tools/train.py configs/attentive_gan/attgan_1xb8-100k_rendered-photos.py \
#       --cfg-options data_root=/path/to/photos
# 40 photos (a fifth if there are fewer than 200) are held out; validation renders the same raindrops on
# them every time. Network and schedule are those of attgan_raindrop.py, which tests on real pairs.
_base_ = './attgan_1xb8-100k_raindrop.py'

data_root = 'data/clean'

loading = [
    dict(type='LoadCleanImage', channel_order='rgb'),
    dict(type='ResizeToCover', size=(480, 720)),  # drops as in the published data set, at its speed
]
train_pipeline = [
    *loading,
    # Only the part that the crop below needs at the smallest scale (224 / 0.7) is rendered.
    dict(type='RenderRaindrops', level='normal', crop_size=(320, 320)),
    dict(type='PairedScale', limits=(0.7, 1.4)),
    dict(type='PairedCrop', crop_size=(224, 224)),
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
    *loading,
    dict(type='RenderRaindrops', level='normal'),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CleanImageDataset',
        data_root=data_root,
        part='train',
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='CleanImageDataset',
        data_root=data_root,
        part='held_out',
        pipeline=test_pipeline,
        test_mode=True,
    )
)
test_dataloader = val_dataloader

val_evaluator = dict(
    _delete_=True,
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('qian', 'bt601'), prefix='rendered')],
)
test_evaluator = val_evaluator
default_hooks = dict(checkpoint=dict(save_best='rendered/qian_psnr'))
