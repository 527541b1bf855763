# Eigen et al. (ICCV 2013), a baseline of the Attentive GAN's paper, on the Raindrop data set.
_base_ = '../_base_/baseline_raindrop.py'

model = dict(generator=dict(type='EigenNet', channels=512))
