# What the data sets of image pairs share: pipelines and loaders. Colours are RGB from file to loss.
_base_ = './loaders.py'

train_pipeline = [
    dict(type='LoadRainyCleanPair', channel_order='rgb'),
    dict(type='RaindropMask', threshold=30, rule='mean', dilation=3),
    dict(type='PairedCrop', crop_size=(224, 224)),
    dict(type='PairedFlip', probability=0.5),
    dict(type='PackPair'),
]
test_pipeline = [
    dict(type='LoadRainyCleanPair', channel_order='rgb'),
    dict(type='PackInputs'),
]
