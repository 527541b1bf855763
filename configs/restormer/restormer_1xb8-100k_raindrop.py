# Restormer of its authors' size for rain on the Raindrop data set.
_base_ = ['../_base_/models/restormer.py', '../_base_/datasets/raindrop.py']
