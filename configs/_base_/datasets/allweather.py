# All-Weather (TransWeather, CVPR 2022): 18,069 images with raindrops, snow or rain with mist in one list,
# and Raindrop's test_a, in the folders of TransWeather's repository.
_base_ = './pairs.py'

data_root = 'data/transweather'

train_dataloader = dict(
    dataset=dict(
        type='PairListDataset',
        data_root=f'{data_root}/train',
        list_file='allweather.txt',
        pipeline={{_base_.train_pipeline}},
    )
)
test_dataloader = dict(
    dataset=dict(
        type='PairListDataset',
        data_root=f'{data_root}/test',
        list_file='raindroptesta.txt',
        pipeline={{_base_.test_pipeline}},
        test_mode=True,
    )
)
val_dataloader = test_dataloader

val_evaluator = dict(
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('qian', 'bt601'), prefix='test_a')],
)
test_evaluator = val_evaluator
