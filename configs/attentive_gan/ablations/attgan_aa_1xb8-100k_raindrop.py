# AA: attentive autoencoder alone (not in the paper). As many generator updates as all others.
_base_ = '../attgan_1xb8-100k_raindrop.py'

model = dict(discriminator=None, gan_loss=None, map_loss=None)
optim_wrapper = dict(
    _delete_=True,
    constructor='MultiOptimWrapperConstructor',
    generator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=5e-4, betas=(0.5, 0.999))),
)
