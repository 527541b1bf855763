# The authors' recipe, as far as their code shows it (flyywh/AttGAN_DeRaindrop, train.py, config.py and
# lstm.py): BGR, raw VGG input, attention weights 0.6^(N-t+1), the mask as target of the
# discriminator's map, RMSprop, batches of 2, no flips. An epoch is 861 images x 2 crops.
_base_ = './attgan_1xb8-100k_raindrop.py'

epoch = 861
model = dict(
    attention_loss=dict(theta=0.6, exponent_offset=1),
    perceptual_loss=dict(normalize=False, loss_weight=1.0),
    map_target='mask',
    train_cfg=dict(gen_init_steps=30 * epoch, disc_init_steps=20 * epoch),
)

train_pipeline = [
    dict(type='LoadRainyCleanPair', channel_order='bgr'),
    dict(type='RaindropMask', threshold=30, rule='mean', dilation=3),
    dict(type='PairedCrop', crop_size=(224, 224)),
    dict(type='PackPair'),
]
test_pipeline = [dict(type='LoadRainyCleanPair', channel_order='bgr'), dict(type='PackInputs')]
train_dataloader = dict(batch_size=2, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

optim_wrapper = dict(
    generator=dict(optimizer=dict(_delete_=True, type='RMSprop', lr=2e-5)),
    discriminator=dict(optimizer=dict(_delete_=True, type='RMSprop', lr=1e-5)),
)
param_scheduler = None
auto_scale_lr = dict(base_batch_size=2)
train_cfg = dict(max_iters=450 * epoch, val_interval=10 * epoch)
default_hooks = dict(checkpoint=dict(interval=10 * epoch))
