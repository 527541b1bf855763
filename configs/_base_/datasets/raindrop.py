# The Raindrop data set of Qian et al. in its published layout: 861 training pairs, test_a with 58.
# Colours are RGB from file to loss.
_base_ = './loaders.py'

data_root = 'data/raindrop'
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
        type='RaindropDataset', data_root=f'{data_root}/train', pipeline=train_pipeline, cache=False
    )
)
val_dataloader = dict(
    dataset=dict(
        type='RaindropDataset',
        data_root=f'{data_root}/test_a',
        pipeline=test_pipeline,
        test_mode=True,
    )
)
test_dataloader = val_dataloader

val_evaluator = dict(
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('qian', 'bt601'), prefix='test_a')],
)
test_evaluator = val_evaluator
