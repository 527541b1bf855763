# A+AD: autoencoder without attention, attentive discriminator. There is no attention map to guide the
# discriminator's, so the mask does, as in the authors' lstm.py.
_base_ = './attgan_aa-ad_1xb8-100k_raindrop.py'

model = dict(
    generator=dict(_delete_=True, type='AttentiveGenerator', attention=False),
    attention_loss=None,
    map_target='mask',
)
