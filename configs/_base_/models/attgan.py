# The network and losses of Qian et al., CVPR 2018, section 3; every field shows its default choice.
model = dict(
    type='AttentiveGAN',
    generator=dict(type='AttentiveGenerator', num_steps=4),
    discriminator=dict(type='AttentiveDiscriminator'),
    pixel_loss=dict(type='MultiScaleLoss', weights=(0.6, 0.8, 1.0)),
    attention_loss=dict(type='AttentionLoss', theta=0.8),
    perceptual_loss=dict(
        type='VGGPerceptualLoss',
        layers=('relu1_1', 'relu1_2', 'relu2_1', 'relu2_2'),
        layer_weights=(1.0, 0.6, 0.4, 0.2),
        normalize=True,
        weights_path=None,
        loss_weight=0.05,  # ImageNet normalisation makes squared differences about 20 times larger
    ),
    gan_loss=dict(type='AdversarialLoss', loss_weight=0.01),
    map_loss=dict(type='AttentionMapLoss', loss_weight=0.05),
    map_target='attention',
    data_preprocessor=dict(type='PairPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]),
)

# Several processes: each network gets a wrapper of its own.
model_wrapper_cfg = dict(type='MMSeparateDistributedDataParallel', broadcast_buffers=False)
