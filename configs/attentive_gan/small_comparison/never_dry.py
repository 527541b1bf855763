# No dry images among the rainy ones.
_base_ = './contextual.py'

pipeline = [
    dict(type='LoadCleanImage', channel_order='rgb'),
    dict(type='RenderPairs', count=8, raindrops={{_base_.raindrops}}, dry_share=0.0),
]
train_dataloader = dict(dataset=dict(pipeline=pipeline))
