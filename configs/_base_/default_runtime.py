# What all configs share: logging, checkpoints, hooks. Replaces MMagic's file of this name, which needs
# pkg_resources and writes checkpoints elsewhere than --work-dir.
default_scope = 'mmagic'
custom_imports = dict(imports=['attentive_gan.registration'], allow_failed_imports=False)
runner_type = 'RestorationRunner'
randomness = dict(seed=2018)

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=100),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        type='VerifiedCheckpointHook',
        interval=5000,
        by_epoch=False,
        max_keep_ckpts=3,
        save_best='test_a/qian_psnr',
        rule='greater',
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    check_loss=dict(type='CheckInvalidLossHook'),
    sample_grid=dict(type='SampleGridHook', interval=1000, count=4),
    score_files=dict(type='ScoreFilesHook'),
    save_images=dict(type='SaveImagesHook'),
)

env_cfg = dict(
    cudnn_benchmark=True,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),  # gloo without a GPU
)

log_level = 'INFO'
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=False)
visualizer = dict(
    type='Visualizer',
    vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')],
)
load_from = None
resume = False
