# The raindrops of the published pairs alone, without bright discs, tiny drops, windscreens and veils.
_base_ = './contextual.py'

pipeline = [
    dict(type='LoadCleanImage', channel_order='rgb'),
    dict(type='RenderPairs', count=8, dry_share=0.12),
]
train_dataloader = dict(dataset=dict(pipeline=pipeline))
