# 100,000 iterations of 8 crops: about the 560,000 crops of the authors' joint training, after 20,000
# iterations of the generator alone. The learning rate of the generator is that of the best reported
# retraining (xxx46408/Deraindrop-xixi).
optim_wrapper = dict(
    constructor='MultiOptimWrapperConstructor',
    generator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=5e-4, betas=(0.5, 0.999))),
    discriminator=dict(
        type='OptimWrapper', optimizer=dict(type='Adam', lr=2e-4, betas=(0.5, 0.999))
    ),
)
# Without `end`, a schedule lasts as long as the training.
param_scheduler = dict(type='CosineAnnealingLR', by_epoch=False, eta_min=1e-6)
auto_scale_lr = dict(enable=False, base_batch_size=8)

train_cfg = dict(type='ResumableTrainLoop', max_iters=100_000, val_interval=5000)
val_cfg = dict(type='MultiValLoop')
test_cfg = dict(type='MultiTestLoop')
