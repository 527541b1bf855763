"""Files of weights: what they say of themselves, how they are loaded, published and shipped.

Nothing here needs MMagic's models or MMEngine's runner, which take seconds to import.
"""
