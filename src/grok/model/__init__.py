"""The network: the paper's transformer, its loss, and what makes both fast.

transformer     the paper's network, in the order of its forward pass
block           attention and MLP, plain
fast_forward    the same logits from what the last position needs alone; what `Transformer.forward` takes
fused           two of its pieces with gradients written by hand
cross_entropy   the loss, accurate far below float32's rounding of log-softmax
"""
