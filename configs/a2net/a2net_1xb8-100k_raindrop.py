# A2Net (Lin et al., IEEE Access 2020) with its own loss and optimizer, on the Raindrop data set.
_base_ = '../_base_/baseline_raindrop.py'

model = dict(
    generator=dict(type='A2Net'),
    # SSIM of Y plus 0.6 of it for U and V, and no other loss.
    pixel_loss=dict(_delete_=True, type='SSIMLoss', chroma_weight=0.6),
)
optim_wrapper = dict(optimizer=dict(betas=(0.5, 0.999)))  # options/train_options.py of the authors
