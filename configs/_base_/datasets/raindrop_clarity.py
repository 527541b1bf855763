# Raindrop Clarity (Jin et al., ECCV 2024) as its training and test archives unpack: day and night, a
# folder for each scene. Blur/ is not used.
_base_ = './pairs.py'

data_root = 'data/raindrop_clarity'
pairs = dict(type='PairFolderDataset', rainy='Drop', clean='Clear')

train_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        ignore_keys='dataset_name',
        datasets=[
            dict(data_root=f'{data_root}/DayRainDrop_Train', pipeline={{_base_.train_pipeline}}, **pairs),
            dict(data_root=f'{data_root}/NightRainDrop_Train', pipeline={{_base_.train_pipeline}}, **pairs),
        ],
    )
)
test_pairs = dict(pipeline={{_base_.test_pipeline}}, test_mode=True, **pairs)
test_dataloader = dict(
    dataset=dict(
        type='ConcatDataset',
        ignore_keys='dataset_name',
        datasets=[
            dict(data_root=f'{data_root}/DayRainDrop_Test', **test_pairs),
            dict(data_root=f'{data_root}/NightRainDrop_Test', **test_pairs),
        ],
    )
)
val_dataloader = test_dataloader

val_evaluator = dict(
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('qian', 'ntire'), prefix='clarity')],
)
test_evaluator = val_evaluator
