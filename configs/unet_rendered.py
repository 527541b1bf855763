# A small U-Net on drawn scenes with rendered raindrops, on two CPU cores; no files needed.
_base_ = './unet/unet_1xb8-6k5_rendered.py'
