# A training of seconds that needs no files: drawn scenes, tiny networks, else as in the real configs.
_base_ = ['tiny_config.py']

pipeline = [
    dict(type='LoadCleanImage', channel_order='rgb'),
    dict(type='RenderRaindrops', lighting='day'),
    dict(type='PackInputs'),
]
scenes = dict(_delete_=True, type='DrawnSceneDataset', size=(32, 48), pipeline=pipeline)
train_dataloader = dict(
    batch_size=2,
    dataset=dict(length=6, seed=1, cache=True, **scenes),
)
val_dataloader = dict(dataset=dict(length=2, seed=0, cache=True, **scenes))
test_dataloader = val_dataloader
default_hooks = dict(score_files=None, save_images=None)
custom_hooks = [dict(type='FaultInjection')]
