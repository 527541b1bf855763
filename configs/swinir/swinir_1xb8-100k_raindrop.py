# SwinIR, the lightweight one (Liang et al., ICCV Workshops 2021), from MMagic, on the Raindrop data set.
_base_ = '../_base_/baseline_raindrop.py'

model = dict(
    generator=dict(
        type='SwinIRNet',
        upscale=1,
        img_size=224,
        window_size=8,
        embed_dim=60,
        depths=[6, 6, 6, 6],
        num_heads=[6, 6, 6, 6],
        mlp_ratio=2,
        use_checkpoint=True,  # computes features twice instead of keeping them
    )
)
