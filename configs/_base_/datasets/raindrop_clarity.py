# Raindrop Clarity (Jin et al., ECCV 2024) as its archives unpack: day and night, a folder for each scene.
# The clean images of the test scenes were held back for challenges, so ten training scenes each validate.
# Photos focused on the drops alone: focus='drops' of a data set, or 'background'.
_base_ = './pairs.py'

data_root = 'data/raindrop_clarity'
day = dict(
    type='RaindropClarityDataset',
    data_root=f'{data_root}/DayRainDrop_Train',
    held_out=10,
    metainfo=dict(dataset_name='raindrop_clarity'),
)
night = dict(day, data_root=f'{data_root}/NightRainDrop_Train')
joined = dict(type='ConcatDataset', ignore_keys='dataset_name')

train_part = dict(part='train', pipeline={{_base_.train_pipeline}})
train_dataloader = dict(
    dataset=dict(datasets=[dict(day, **train_part), dict(night, **train_part)], **joined)
)
val_part = dict(part='held_out', pipeline={{_base_.test_pipeline}}, test_mode=True)
val_dataloader = dict(
    dataset=dict(datasets=[dict(day, **val_part), dict(night, **val_part)], **joined)
)
test_part = dict(part='all', pipeline={{_base_.test_pipeline}}, test_mode=True)
test_dataloader = dict(
    dataset=dict(
        datasets=[
            dict(day, **{**test_part, 'data_root': f'{data_root}/DayRainDrop_Test'}),
            dict(night, **{**test_part, 'data_root': f'{data_root}/NightRainDrop_Test'}),
        ],
        **joined,
    )
)

val_evaluator = dict(
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('qian', 'ntire'), prefix='clarity')],
)
test_evaluator = val_evaluator
