# The published design made small: contextual autoencoder of half the channels on half the grid, three
# steps, with the gate: 20 GMAC at 720x480. The other configs here are changes of this one.
_base_ = '../attgan_small_1xb32-60min_rendered.py'

model = dict(
    generator=dict(
        _delete_=True,
        type='AttentiveGenerator',
        num_steps=3,
        attention_activation='sigmoid',
        width=0.5,
        blocks=3,
        shuffle=2,
        dilations=(1, 2, 4, 8),
        residual=True,
        gated=True,
    ),
    pixel_loss=dict(weights=(0.2, 0.3, 1.0)),
    structure_loss=dict(loss_weight=0.2),
    attention_loss=dict(loss_weight=0.2),
)
