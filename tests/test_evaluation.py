import pytest
import torch

from grok.measures.evaluation import Evaluation
from grok.model.transformer import Transformer
from grok.tasks import fourier, operations, splits


def evaluation(operation: str = "addition", p: int = 7, **shape: int) -> Evaluation:
    network = Transformer(p, **{"d_model": 16, "n_heads": 2, "d_mlp": 24, **shape})  # type: ignore[arg-type]
    answers = operations.answers(operations.operation_named(operation), p)
    return Evaluation.of(network, answers, splits.train_mask(p, 0.5, 0))


def test_a_table_needs_nothing_of_its_network_but_logits_and_answers() -> None:
    full = evaluation(p=13)
    bare = Evaluation(full.logits, full.answers, full.train)
    assert bare.symmetrized_loss == full.symmetrized_loss
    assert bare.key_frequencies("W_E") is None
    assert bare.key_frequencies("neurons") is None
    assert bare.key_frequencies("W_L") == full.key_frequencies("logits")


def test_the_objective_counts_the_class_of_the_equals_sign_and_losses_do_not() -> None:
    full = evaluation()
    assert full.objective > full.train_loss
    assert full.all_logits.shape[2] == full.logits.shape[2] + 1


def test_without_waves_projections_are_refused_and_rules_on_logits_find_nothing() -> None:
    quadratic = evaluation("x2+xy+y2")
    assert quadratic.key_losses("W_L") == {}
    assert quadratic.key_frequencies("logits") is None
    with pytest.raises(ValueError, match="The answers must be those of a group, with other names for a and b or none"):
        quadratic.restricted_losses([1])


@pytest.mark.parametrize("k", [0, 4])
def test_what_is_no_frequency_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match=f"A frequency must be a whole number from 1 to 3. Got {k}."):
        evaluation().key_frequencies([k])
    with pytest.raises(ValueError, match=f"Got {k}."):
        fourier.rows(7, [1, k])


def test_a_frequency_named_twice_counts_once() -> None:
    full = evaluation()
    assert full.excluded_loss([2, 2]) == full.excluded_loss([2])


def test_weights_are_summed_parameter_by_parameter() -> None:
    full = evaluation(n_layers=2)
    expected = sum(float(w.detach().double().square().sum()) for w in full.weights.values())
    assert float(full.sum_squared_weights) == pytest.approx(expected, rel=1e-12)
    assert "blocks.1.W_out" in full.squared_weights


def test_a_table_in_double_precision_agrees_with_one_in_single() -> None:
    single = evaluation()
    double = Evaluation(single.all_logits.double(), single.answers, single.train)
    assert double.symmetrized_excluded_loss == pytest.approx(float(single.symmetrized_excluded_loss), rel=1e-6)
    torch.testing.assert_close(double.losses, single.losses, rtol=1e-6, atol=0)
