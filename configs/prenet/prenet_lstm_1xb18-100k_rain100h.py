# PReNet on rain streaks with its authors' recipe: crops of 100 x 100, one SSIM loss. Other layouts of
# Rain100H and other streak data: docs/migration.md.
_base_ = './prenet_lstm_1xb8-100k_raindrop.py'

data_root = 'data/rain100h'
pairs = dict(type='PairFolderDataset', rainy='input', clean='target')
train_dataloader = dict(
    batch_size=18,
    dataset=dict(
        data_root=f'{data_root}/train',
        # No mask: streaks are everywhere.
        pipeline=[
            dict(type='LoadRainyCleanPair', channel_order='rgb'),
            dict(type='PairedCrop', crop_size=(100, 100)),
            dict(type='PackInputs'),
        ],
        **pairs,
    ),
)
val_dataloader = dict(dataset=dict(data_root=f'{data_root}/test', **pairs))
test_dataloader = dict(dataset=dict(data_root=f'{data_root}/test', **pairs))
scores = dict(type='RaindropScores', protocols=('qian', 'bt601', 'rgb'), prefix='rain100h')
val_evaluator = dict(metrics=[scores])
test_evaluator = dict(metrics=[scores])

model = dict(pixel_loss=dict(_delete_=True, type='SSIMLoss'))
param_scheduler = dict(
    _delete_=True,
    type='MultiStepLR',
    by_epoch=False,
    milestones=[30_000, 50_000, 80_000],
    gamma=0.2,
)
default_hooks = dict(checkpoint=dict(save_best='rain100h/bt601_psnr'))
