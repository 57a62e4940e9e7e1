import torch

from grok.model.cross_entropy import cross_entropy


def test_gradients_are_never_subnormal_numbers_which_make_products_slow() -> None:
    logits = torch.linspace(0, -120, 400).repeat(50, 1)  # answers that lead by nothing up to 120 nats
    answers = torch.arange(50) * 8
    logits.scatter_(1, answers[:, None], 20.0)
    logits.requires_grad_()
    cross_entropy(logits, answers).backward()
    size = logits.grad.abs()
    tiny = torch.finfo(torch.float32).tiny
    assert not ((size > 0) & (size < tiny)).any()
    exact = logits.detach().double().requires_grad_()
    cross_entropy(exact, answers).backward()
    normal = exact.grad.abs() > 2 * tiny
    assert (~normal).any()
    torch.testing.assert_close(logits.grad.double()[normal], exact.grad[normal], rtol=1e-5, atol=0)
    assert not size[exact.grad.abs() < tiny / 2].any()
