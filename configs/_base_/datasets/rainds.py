# RainDS (Quan et al., CVPR 2021) in its published layout: photographed scenes with raindrops. Rendered
# ones: data_root with RainDS_syn and its splits; streaks: rain='rainstreak' or 'rainstreak_raindrop'.
_base_ = './pairs.py'

data_root = 'data/rainds'

train_dataloader = dict(
    dataset=dict(
        type='RainDSDataset',
        data_root=f'{data_root}/RainDS_real/train_set',
        rain='raindrop',
        pipeline={{_base_.train_pipeline}},
    )
)
test_dataloader = dict(
    dataset=dict(
        type='RainDSDataset',
        data_root=f'{data_root}/RainDS_real/test_set',
        rain='raindrop',
        pipeline={{_base_.test_pipeline}},
        test_mode=True,
    )
)
val_dataloader = test_dataloader

val_evaluator = dict(
    type='Evaluator',
    metrics=[dict(type='RaindropScores', protocols=('qian', 'bt601'), prefix='rainds')],
)
test_evaluator = val_evaluator
