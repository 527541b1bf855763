# Crops of 128 instead of 192, as many pixels in a batch.
_base_ = './contextual.py'

train_dataloader = dict(batch_size=72, crop_size=128)
