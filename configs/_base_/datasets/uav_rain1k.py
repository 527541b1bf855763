# UAV-Rain1k (Chang et al., CVPR workshops 2024): drops rendered on aerial images of about 1500x1000, 800
# pairs for training and 220 for testing, in {train,test}/{input,target}.
_base_ = './pairs.py'

data_root = 'data/uav_rain1k'
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
    metrics=[dict(type='RaindropScores', protocols=('bt601', 'qian'), prefix='uav_rain1k')],
)
test_evaluator = val_evaluator
