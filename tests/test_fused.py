import torch
from torch.autograd import gradcheck

from grok.model.fused import gathered_attention, relu_mlp


def doubles(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def test_the_gradients_of_an_mlp_are_those_of_finite_differences() -> None:
    arguments = doubles(6, 4), doubles(5, 4, seed=1), doubles(5, seed=2), doubles(4, 5, seed=3), doubles(4, seed=4)
    x, W_in, b_in, W_out, b_out = arguments
    stream, neurons = relu_mlp(*arguments)
    torch.testing.assert_close(neurons, (x @ W_in.T + b_in).relu())
    torch.testing.assert_close(stream, x + neurons @ W_out.T + b_out)
    assert gradcheck(relu_mlp, arguments)  # of the stream and of the neurons


def test_a_loss_of_the_neurons_alone_has_gradients_too() -> None:
    x, W_in, b_in = doubles(6, 4), doubles(5, 4, seed=1), doubles(5, seed=2)
    W_out, b_out = doubles(4, 5, seed=3), doubles(4, seed=4)
    relu_mlp(x, W_in, b_in, W_out, b_out).neurons.square().sum().backward()
    gradient = x.grad.clone()
    x.grad = None
    (x @ W_in.T + b_in).relu().square().sum().backward()
    torch.testing.assert_close(gradient, x.grad)
    assert not W_out.grad.any()


def test_the_gradients_of_gathered_attention_are_those_of_finite_differences() -> None:
    n_heads, width = 2, 6 + 2
    first, second, last = (doubles(n, width, seed=n) for n in (5, 4, 1))
    with torch.no_grad():
        for table in (first, second, last):
            table[:, -n_heads:].exp_()  # weights of attention are positive
    a, b = torch.tensor([0, 0, 3, 4, 1, 3, 0]), torch.tensor([3, 1, 1, 0, 1, 1, 3])  # some rows often, some never
    total = first[a] + second[b] + last
    expected = total[:, :6].view(7, 2, 3) / total[:, 6:, None]
    torch.testing.assert_close(gathered_attention(first, second, last, a, b, n_heads), expected.flatten(1))
    assert gradcheck(lambda *tables: gathered_attention(*tables, a, b, n_heads), (first, second, last))
