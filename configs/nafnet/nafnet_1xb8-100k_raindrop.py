# NAFNet of width 32 on the Raindrop data set.
_base_ = ['../_base_/models/nafnet.py', '../_base_/datasets/raindrop.py']
