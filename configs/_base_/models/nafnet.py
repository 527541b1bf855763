# NAFNet of width 32 (Chen et al., ECCV 2022) from MMagic, with its authors' blocks for deblurring.
_base_ = '../baseline.py'

model = dict(
    generator=dict(
        type='NAFNet',
        mid_channels=32,
        enc_blk_nums=[1, 1, 1, 28],
        middle_blk_num=1,
        dec_blk_nums=[1, 1, 1, 1],
    )
)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3, betas=(0.9, 0.9), weight_decay=1e-3))
