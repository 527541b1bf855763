# RainDS (Quan et al., CVPR 2021) in its published layout: photographed scenes with raindrops. Rendered
# ones: data_root with RainDS_syn and its splits; streaks: rain='rainstreak' or 'rainstreak_raindrop'.
_base_ = './loaders.py'

data_root = 'data/rainds'
train_pipeline = [
    dict(type='LoadRainyCleanPair', channel_order='rgb'),
    dict(type='RaindropMask', threshold=30, rule='mean', dilation=3),
    dict(type='PairedCrop', crop_size=(224, 224)),
    dict(type='PairedFlip', probability=0.5),
    dict(type='PackPair'),
]
test_pipeline = [
    dict(type='LoadRainyCleanPair', channel_order='rgb'),
    dict(type='PackInputs'),
]

train_dataloader = dict(
    dataset=dict(
        type='RainDSDataset',
        data_root=f'{data_root}/RainDS_real/train_set',
        rain='raindrop',
        pipeline=train_pipeline,
    )
)
test_dataloader = dict(
    dataset=dict(
        type='RainDSDataset',
        data_root=f'{data_root}/RainDS_real/test_set',
        rain='raindrop',
        pipeline=test_pipeline,
        test_mode=True,
    )
)
val_dataloader = test_dataloader

val_evaluator = dict(
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('qian', 'bt601'), prefix='rainds')],
)
test_evaluator = val_evaluator
