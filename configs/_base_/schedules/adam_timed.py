# Training for a time instead of a number of iterations: --minutes N, or --cfg-options train_cfg.minutes=N.
optim_wrapper = dict(
    constructor='MultiOptimWrapperConstructor',
    generator=dict(
        type='OptimWrapper',
        optimizer=dict(type='Adam', lr=1e-3, betas=(0.9, 0.99)),
        clip_grad=dict(max_norm=1.0),
    ),
)
param_scheduler = dict(
    generator=dict(type='ProgressLR', shape='cosine', warmup=0.02, final=0.001),
)
auto_scale_lr = dict(enable=False, base_batch_size=64)

train_cfg = dict(type='TimedTrainLoop', minutes=60)
val_cfg = dict(type='MultiValLoop')
test_cfg = dict(type='MultiTestLoop')
