# The baselines with data, crops, metrics and schedule of attgan_raindrop.py.
_base_ = ['baseline.py', 'datasets/raindrop.py']
