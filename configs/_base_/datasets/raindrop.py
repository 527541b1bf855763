# The Raindrop data set of Qian et al. in its published layout: 861 training pairs, test_a with 58.
_base_ = './pairs.py'

data_root = 'data/raindrop'

train_dataloader = dict(
    dataset=dict(
        type='RaindropDataset',
        data_root=f'{data_root}/train',
        pipeline={{_base_.train_pipeline}},
        cache=False,
    )
)
val_dataloader = dict(
    dataset=dict(
        type='RaindropDataset',
        data_root=f'{data_root}/test_a',
        pipeline={{_base_.test_pipeline}},
        test_mode=True,
    )
)
test_dataloader = val_dataloader

val_evaluator = dict(
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('qian', 'bt601'), prefix='test_a')],
)
test_evaluator = val_evaluator
