# Pairs of equal names in {train,test}/{input,target}, as Restormer, MPRNet and NeRD-Rain arrange their
# data: Rain13K, LHP-Rain, RealRain-1k and others.
_base_ = './pairs.py'

data_root = 'data/pairs'
pairs = dict(type='PairFolderDataset', rainy='input', clean='target')

train_dataloader = dict(
    dataset=dict(data_root=f'{data_root}/train', pipeline={{_base_.train_pipeline}}, **pairs)
)
test_dataloader = dict(
    dataset=dict(
        data_root=f'{data_root}/test', pipeline={{_base_.test_pipeline}}, test_mode=True, **pairs
    )
)
val_dataloader = test_dataloader

val_evaluator = dict(
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('bt601', 'qian'), prefix='pairs')],
)
test_evaluator = val_evaluator
