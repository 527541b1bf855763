# A small residual U-Net on a quarter of the grid: 13 GMAC at 720x480.
model = dict(
    type='BaseEditModel',
    generator=dict(type='RestorationUNet', channels=(64, 96, 128, 160), blocks=2, shuffle=4),
    pixel_loss=dict(type='CharbonnierLoss', loss_weight=1.0, reduction='mean'),
    data_preprocessor=dict(type='PairPreprocessor', mean=[0, 0, 0], std=[255, 255, 255]),
)
