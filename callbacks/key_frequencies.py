"""How many frequencies the network uses, and how clearly they stand out."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from callbacks.measurement import Measurement
from grok.measures import spectra
from grok.measures.evaluation import Evaluation
from grok.training.lit import FullBatchTraining


class KeyFrequencies(Measurement):
    """The current key frequencies and the sparsity of the spectra (paper §4.1, §5.1, Fig. 7).

    Gini coefficients leave the constant out: over the ⌊p/2⌋ frequencies, or over the p - 1
    cos and sin components. The set itself is in metrics.csv, the shares in spectra.csv.

    | Key | Value [unit] |
    |---|---|
    | `progress/gini_W_E` | Gini coefficient of the ⌊p/2⌋ frequency norms of the embedding W_E |
    | `progress/gini_W_E_components` | Gini coefficient of the p - 1 cos and sin norms of the embedding W_E |
    | `progress/gini_W_L` | Gini coefficient of the ⌊p/2⌋ frequency norms of the neuron-logit map W_L |
    | `progress/gini_W_L_components` | Gini coefficient of the p - 1 cos and sin norms of the neuron-logit map W_L |
    | `keys/count` | How many frequencies stand out of the spectrum by the run's rule |
    | `keys/share` | The part of the squared norm of W_L (of W_E without an MLP) that lies in the key frequencies |
    | `neurons/explained` | Share of neurons of which one frequency explains over 85 % of the variance |

    Args:
        rule: one of `grok.evaluation.RULES`, or a list of frequencies.
    """

    def __init__(self, rule: str | Sequence[int]) -> None:
        self.rule = rule

    def measure(self, evaluation: Evaluation, training: FullBatchTraining) -> Mapping[str, Tensor | float]:
        values: dict[str, Tensor | float] = {}
        components_of = {"W_E": evaluation.W_E_components, "W_L": evaluation.W_L_components}
        for name, components in components_of.items():
            if components is not None:
                values[f"progress/gini_{name}"] = spectra.gini(evaluation.basis.strengths(components))
                values[f"progress/gini_{name}_components"] = spectra.gini(components)
        found = evaluation.key_frequencies(self.rule)
        main = evaluation.W_E_components if evaluation.W_L_components is None else evaluation.W_L_components
        if found is not None:
            values["keys/count"] = float(len(found))
            if main is not None:
                values["keys/share"] = spectra.shares(evaluation.basis.norms(main))[[k - 1 for k in found]].sum()
        if evaluation.explained is not None:
            best = evaluation.explained.amax(0)
            values["neurons/explained"] = (best > spectra.EXPLAINED).double().mean()
        return values
