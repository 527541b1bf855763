"""Weights files: description, loading, publishing, and the files that ship with the package.

A checkpoint (.pth) is the state of a training: all networks, optimizers, schedules. Weights (.safetensors)
are one generator alone, with a description from which it is built without a config. `publishing` makes
weights from a checkpoint, `fitting` loads either into a model, `description` builds a network from weights.
`utils/checkpoint_io.py` reads and writes both kinds of files.

Nothing here needs MMagic's models or MMEngine's runner, which take seconds to import.
"""
