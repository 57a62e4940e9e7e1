"""The claims of the paper about its network, its numbers, and from which number on a claim holds for another.

The paper gives numbers for one network (p = 113, 30 % of the pairs, weight decay 1, epoch 40,000), and
no level at which they would stop being true. The levels here are this project's own, set before its own
runs were looked at, by these rules:

- *a share explained* holds while what is left unexplained is at most twice what the paper's network leaves
  (95 % explained: hold from 90 %);
- *a loss after an ablation* holds while it changes as the paper's did: "improves" below the original,
  "changes nothing" within a tenth, "costs little" up to twice the paper's own increase, "needed" at ln p
  or above, which is the loss of knowing nothing;
- *sparse* holds from a Gini coefficient of one half, and *few* up to a quarter of all frequencies.
"""

import math
from dataclasses import dataclass

# Why a claim does not apply, by what it needs.
NEEDS = {
    "waves": "its answers are no invertible linear function of a and b",
    "mlp": "it has no MLP",
    "layer": "it has more than one layer",
    "keys": "it has no key frequencies",
    "odd": "p is even",
    "training": "a file tells nothing of its training",
}


@dataclass(frozen=True)
class Claim:
    """One claim, and the value that decides it.

    Args:
        finding: name of the value among the findings of a network; "…_ratio" is a loss over the original loss.
        section: where the paper states it; App. for its appendices.
        claim: the statement.
        paper: what the paper's network has.
        least, most: the claim holds from `least` to `most`.
        form: how the value is written: number, percent, count, ratio, truth.
        needs: what a network must have for the claim to apply, of `NEEDS`.
    """

    finding: str
    section: str
    claim: str
    paper: str
    least: float = -math.inf
    most: float = math.inf
    form: str = "number"
    needs: str = ""

    def holds(self, value: float) -> bool:
        return self.least <= value <= self.most

    @property
    def criterion(self) -> str:
        """From which value to which the claim holds, in words."""
        if self.form == "truth":
            return "yes"
        scale, unit = {"percent": (100, " %"), "ratio": (1, " × the loss")}.get(self.form, (1, ""))
        low, high = (f"{scale * x:.4g}" for x in (self.least, self.most))
        if math.isinf(self.most):
            return f"at least {low}{unit}"
        return f"at most {high}{unit}" if math.isinf(self.least) else f"{low} to {high}{unit}"


# fmt: off
CLAIMS = [
    # --- embedding and unembedding
    Claim("gini_W_E", "4.1, 5.1", "W_E is sparse in the Fourier basis (Gini over frequencies)", "sparse", least=0.5),
    Claim("W_E_frequencies_share", "4.1", "W_E has few frequencies (norm above ¼ of the largest), of all", "6 of 56",
          most=0.25, form="percent"),
    Claim("keys_in_W_E", "4.1", "the key frequencies are among those of W_E", "5 of 5", least=1.0, form="percent",
          needs="waves keys"),
    Claim("gini_W_L", "4.2, 5.1", "W_L is sparse in the Fourier basis (Gini over frequencies)", "sparse", least=0.5,
          needs="mlp"),
    Claim("key_count_share", "4.2", "key frequencies are few, of all", "5 of 56", most=0.25, form="percent",
          needs="keys"),
    Claim("W_L_residual", "4.2", "W_L has rank 2|K|: norm of what the waves of the keys leave", "< 0.55 %",
          most=0.011, form="percent", needs="waves mlp keys"),
    # --- logits
    Claim("significant_in_blocks", "4.1",
          "large 2D components of the logits (above ¼ of the largest) lie in the keys' 2×2 blocks", "20 of 20",
          least=1.0, form="percent", needs="waves"),
    Claim("logits_in_sum_waves", "4.2", "logits are made of cos and sin w(a+b) of the keys: share of their variance",
          "≥ 95 % (by its fit)", least=0.9, form="percent", needs="waves"),
    Claim("logits_fit", "4.2", "logits are Σ α cos w(a+b-c) over the keys: share of their variance", "95 %",
          least=0.9, form="percent", needs="waves"),
    Claim("fit_loss_ratio", "4.2", "that sum answers better than the network", "4.7e-08 (-80 %)", most=1.0,
          form="ratio", needs="waves"),
    # --- neurons
    Claim("least_projection_explained", "4.2, Table 1",
          "u·MLP and v·MLP are one cos and one sin w(a+b) each: the least explained", "93.2 %", least=0.864,
          form="percent", needs="waves mlp keys"),
    Claim("neurons_explained", "4.3", "neurons are degree-2 polynomials of one frequency (above 85 % of variance)",
          "84.6 % (433 of 512)", least=0.692, form="percent", needs="mlp"),
    Claim("neurons_of_keys", "4.3", "their frequencies are the keys", "433 of 433", least=0.95, form="percent",
          needs="waves mlp keys"),
    Claim("keys_with_neurons", "4.3", "every key frequency has neurons", "5 of 5", least=1.0, form="percent",
          needs="waves mlp keys"),
    Claim("polynomial_loss_ratio", "4.4", "replacing these neurons by their polynomials costs little",
          "2.48e-07 (+3 %)", most=1.06, form="ratio", needs="waves mlp"),
    Claim("sum_polynomial_loss_ratio", "4.4", "keeping only cos and sin w(a+b) of them improves the loss",
          "5.54e-08 (-77 %)", most=1.0, form="ratio", needs="waves mlp"),
    Claim("directions_loss_ratio", "4.4", "neurons projected on the 2|K| directions of W_L improve the loss",
          "1.19e-07 (-50 %)", most=1.0, form="ratio", needs="waves mlp keys"),
    Claim("null_space_loss", "4.4", "neurons projected on their null space know nothing (loss over ln p)",
          "5.27 (1.11)", least=0.99, needs="waves mlp keys"),
    # --- attention
    Claim("self_attention", "App. A.1", '"=" hardly attends to itself: the head that does most', "0.4 %", most=0.008,
          form="percent", needs="layer"),
    Claim("self_attention_loss_ratio", "App. A.1", "without that attention nothing changes", "no change", least=0.9,
          most=1.1, form="ratio", needs="layer"),
    Claim("least_head_explained", "App. C.1.3, Table 2",
          "each head's attention is waves of one frequency: the least explained", "97.91 %", least=0.9582,
          form="percent", needs="layer"),
    Claim("heads_of_two_kinds", "App. C.1.3", "some heads multiply waves of one frequency, the others amplify W_E",
          "2 of 4 multiply", least=1.0, form="truth", needs="layer"),
    Claim("linear_attention_loss_ratio", "App. C.1.3", "attention as a linear function of scores improves the loss",
          "2.12e-07 (-12 %)", most=1.0, form="ratio", needs="layer"),
    # --- ablations
    Claim("restricted_loss_ratio", "5.1", "restricted loss is below the loss of the network", "5.5e-08 (-77 %)",
          most=1.0, form="ratio", needs="waves"),
    Claim("restricted_3x3_loss_ratio", "4.4", "so it is with all terms of the keys kept", "7.24e-08 (-70 %)",
          most=1.0, form="ratio", needs="waves"),
    Claim("excluded_loss", "5.1", "excluded loss: without its keys the network knows nothing (loss over ln p)",
          "high; no number", least=0.99, needs="waves"),
    Claim("least_key_ablation_ratio", "4.4, Fig. 6",
          "each key frequency is needed: the least increase when one is removed", "2.0e-04 (× 830)", least=10.0,
          form="ratio", needs="waves keys"),
    Claim("largest_other_ablation_ratio", "4.4, Fig. 6", "no other frequency is: the largest increase", "no increase",
          most=1.1, form="ratio", needs="waves"),
    Claim("mlp_skip_zero_loss_ratio", "App. A.1", "the skip past the MLP is unimportant: without it",
          "9.12e-07 (× 3.8)", most=7.6, form="ratio", needs="mlp"),
    Claim("mlp_skip_mean_loss_ratio", "App. A.1", "and with its mean", "7.25e-07 (× 3.0)", most=6.0, form="ratio",
          needs="mlp"),
    Claim("attention_zero_loss", "App. A.1", "attention is needed: loss without it, over ln p", "24.3 (5.1)",
          least=0.99, needs="layer"),
    Claim("attention_skip_zero_loss", "App. A.1", "and so is the skip past it", "19.1 (4.0)", least=0.99,
          needs="layer"),
    # --- which algorithm (arXiv 2306.17844; its numbers are for p = 59 networks)
    Claim("gradient_symmetricity", "2306.17844", "it adds like a clock, not a pizza: gradient symmetricity",
          "clock 0.33, pizza 0.99", most=0.98, needs="layer"),
    Claim("distance_irrelevance", "2306.17844", "and its distance irrelevance", "clock 0.85, pizza 0.17", least=0.6,
          needs="waves odd"),
    Claim("circularity", "2306.17844", "W_E is made of circles: circularity of its first 4 principal components",
          "0.995 and more", least=0.995),
    # --- over training
    Claim("events_in_order", "5.2", "memorization, circuit formation and clean-up end one after another",
          "1,400 < 9,400 < 14,000", least=1.0, form="truth", needs="training"),
    Claim("restricted_lead", "5.1, Fig. 7", "restricted loss falls (below 1) before test loss does, by steps",
          "before; no number", least=1.0, form="count", needs="training"),
    Claim("key_free_lead", "ours", "so does the key-free loss, by steps", "-", least=1.0, form="count",
          needs="training"),
    Claim("excluded_rise", "5.2, Fig. 7",
          "excluded loss rises in circuit formation: its value at the end over its least", "rises; no number",
          least=2.0, needs="training"),
    Claim("gini_rise", "5.2, Fig. 7",
          "Gini of W_L rises faster in clean-up than in circuit formation (ratio of rates)", "sharply; no number",
          least=1.0, needs="training"),
    Claim("weights_fall", "5.2, Fig. 7", "squared weights fall faster in clean-up than in circuit formation",
          "sharply; no number", least=1.0, needs="training"),
]
# fmt: on
