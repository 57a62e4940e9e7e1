import math
from dataclasses import replace

import pytest

from grok.measures.history import History, slingshots
from grok.measures.phases import Events, by_spike, cleanup_band, events, regime, unstable
from grok.measures.stability import at_rest, loss_decades

P, TESTS = 113, 8939
LN_P = math.log(P)


def grokking(length: int = 121) -> History:
    """A hand-made run measured each 100 steps: F at 200, T1 at 1,500, T2 at 6,600, G at 7,500, rest from 9,000."""
    step = [100.0 * i for i in range(length)]
    loss = [4.8 if s == 0 else 20.0 if s < 6600 else max(4.0 * math.exp(-(s - 6600) / 300), 3e-7) for s in step]
    accuracy = [0.01 if s < 6000 else 0.5 if s < 7500 else 1.0 for s in step]
    return History(
        step=step,
        train_loss=[4.8 if s < 200 else max(0.3 * math.exp(-s / 80), 1e-7) for s in step],
        test_loss=[x / 2 for x in loss],
        unseen_loss=loss,
        train_accuracy=[0.1 if s < 200 else 1.0 for s in step],
        test_accuracy=[0.5 + x / 2 for x in accuracy],
        unseen_accuracy=accuracy,
        excluded_loss=[1e-4 + ((s - 1400) / 1000) ** 2 if s >= 200 else 4.8 for s in step],
        sum_squared_weights=[2500 - 1500 * min(s, 9000) / 9000 for s in step],
        key_frequencies=["3 9 14" if s < 7000 else "9 14" for s in step],
        largest_train_loss=[math.nan] + [4.8 if s < 300 else max(math.exp(-s / 80), 2e-7) for s in step[1:]],
    )


def truncated(history: History, length: int) -> History:
    return History(**{name: values[:length] for name, values in vars(history).items()})


def found(history: History, final: bool = False) -> Events:
    return events(history, P, TESTS, final)


def test_a_grokking_run_has_all_events_in_order_as_intervals() -> None:
    result = found(grokking(171), final=True)
    assert result.fitted == (100, 200)
    assert result.memorization_end == (1400, 1500)
    assert result.cleanup_start == (6500, 6600)
    assert result.generalized == (7400, 7500)
    assert result.stable is not None
    # weights rest from 9,000 and are alike over a quarter from 11,800; the loss is within a half of 3e-7 from 11,400
    assert result.stable[1] == 15_100
    assert regime(grokking(), result) == "grokked"
    assert result.phase == 3


def test_online_events_are_causal_and_agree_with_the_end() -> None:
    history = grokking()
    known: dict[str, int] = {}
    for n in range(1, len(history.step) + 1):
        for name, when in found(truncated(history, n)).items():
            if when is not None:
                known.setdefault(name, n - 1)
    assert known["fitted"] == 4  # held at 200, 300, 400
    assert known["cleanup_start"] == 68
    assert known["memorization_end"] == 15  # once excluded loss has doubled, not at its least, 14
    assert found(history) == found(history, final=True)


def test_the_phase_counts_up_and_is_provisional_until_generalization() -> None:
    history = grokking(171)
    phases = [found(truncated(history, n)) for n in range(1, len(history.step) + 1)]
    assert [e.phase for e in phases] == sorted(e.phase for e in phases)  # type: ignore[type-var]
    assert {e.phase for e in phases} == {0, 1, 2, 3}
    assert not phases[10].provisional
    assert phases[40].provisional
    assert phases[70].provisional
    assert not phases[-1].provisional


def test_two_measurements_below_ln_p_are_no_cleanup() -> None:
    history = grokking(60)
    history.unseen_loss[30] = history.unseen_loss[31] = 1.0
    assert found(history).cleanup_start is None
    history.unseen_loss[32] = 1.0
    assert found(truncated(history, 33)).cleanup_start is None  # test accuracy is still at chance
    history.unseen_accuracy[30:] = [0.5] * 30
    assert found(truncated(history, 33)).cleanup_start == (2900, 3000)


@pytest.mark.parametrize(("level", "withdrawn"), [(1.1, False), (1.3, True)])
def test_a_cleanup_is_withdrawn_above_one_and_a_fifth_ln_p(level: float, withdrawn: bool) -> None:
    history = grokking(60)
    history.unseen_accuracy[30:] = [0.5] * 30
    history.unseen_loss[30:34] = [1.0] * 4
    history.unseen_loss[34:] = [level * LN_P] * 26
    assert (found(history).cleanup_start is None) == withdrawn


def test_at_the_end_the_last_crossing_counts() -> None:
    history = grokking()
    history.unseen_accuracy[20:] = [max(a, 0.5) for a in history.unseen_accuracy[20:]]
    history.unseen_loss[20:25] = [1.0] * 5
    history.unseen_loss[25] = 1.1 * LN_P  # not far enough above to be withdrawn on the way
    history.unseen_loss[26:] = [1.0] * (len(history.step) - 26)
    assert found(history).cleanup_start == (1900, 2000)
    assert found(history, final=True).cleanup_start == (2500, 2600)


def test_a_crossing_at_the_very_end_counts_at_the_end_alone() -> None:
    history = truncated(grokking(), 67)
    assert found(history).cleanup_start is None
    assert found(history, final=True).cleanup_start == (6500, 6600)
    assert regime(history, found(history, final=True)) == "unfinished"


def test_a_plateau_at_ln_p_with_chance_accuracy_is_no_cleanup() -> None:
    history = grokking(100)
    history.unseen_loss[:] = [4.8] + [LN_P - 1e-3] * 99
    history.unseen_accuracy[:] = [1 / P] * 100
    assert found(history, final=True).cleanup_start is None
    assert regime(history, found(history, final=True)) == "memorized"


def test_generalizing_while_fitting_is_direct_and_has_no_phase() -> None:
    history = grokking(50)
    history.unseen_loss[:] = [max(4.7 - 2 * i, 1e-3) for i in range(50)]
    history.unseen_accuracy[:] = [0.1] + [1.0] * 49
    result = found(history, final=True)
    assert regime(history, result) == "direct"
    assert result.phase is None
    assert result.memorization_end is None
    history.unseen_accuracy[:] = [0.1] + [0.8] * 49
    history.sum_squared_weights[:] = [100.0 + 9 * i for i in range(50)]
    assert regime(history, found(history, final=True)) == "direct"  # on its way
    history.sum_squared_weights[:] = [100.0] * 50
    assert regime(history, found(history, final=True)) == "partial"  # and this is as far as it gets


def test_memorization_without_end_has_none() -> None:
    history = grokking(60)
    history.excluded_loss[:] = [5.0 / (i + 1) for i in range(60)]
    assert found(history, final=True).memorization_end is None
    assert regime(history, found(history, final=True)) == "memorized"


def test_without_fitting_there_is_nothing() -> None:
    history = grokking(60)
    history.train_accuracy[:] = [0.5] * 60
    result = found(history, final=True)
    assert regime(history, result) == "unfitted"
    assert result.fitted is None
    assert result.memorization_end is None


def test_rest_without_generalization_is_partial() -> None:
    history = grokking()
    history.unseen_accuracy[:] = [min(a, 0.7) for a in history.unseen_accuracy]
    assert regime(history, found(history, final=True)) == "partial"


def slung(at: int) -> History:
    history = grokking()
    history.largest_train_loss[at] = 0.5
    return history


def test_a_jump_of_the_train_loss_is_a_slingshot_and_freezes_transitions() -> None:
    history = slung(40)
    history.train_accuracy[40], history.unseen_accuracy[40], history.unseen_loss[40] = 0.2, 0.9, 0.1
    assert [i for i, jump in enumerate(slingshots(history)) if jump] == [40]
    assert found(history, final=True) == found(grokking(), final=True)
    assert unstable(history, found(history, final=True))
    assert not unstable(grokking(), found(grokking(), final=True))


def test_small_losses_may_jump_without_being_slingshots() -> None:
    history = grokking()
    history.largest_train_loss[60] = 9e-5  # 450 times its median, but below 1e-4
    assert not any(slingshots(history))


def test_rest_needs_a_quarter_of_the_run_without_a_slingshot() -> None:
    assert at_rest(grokking())
    assert not at_rest(slung(119))
    moving = replace(grokking(), sum_squared_weights=[2000.0 * math.exp(-i / 900) for i in range(121)])
    assert not at_rest(moving)  # 3.3 % over the last quarter


def test_an_untrained_network_is_not_at_rest() -> None:
    assert not at_rest(truncated(grokking(), 1))
    assert found(truncated(grokking(), 1)) == Events()


def test_stable_is_withdrawn_when_the_weights_move_again() -> None:
    history = grokking(260)
    assert found(history).stable == (15_000, 15_100)
    history.sum_squared_weights[240:] = [900.0] * 20
    assert found(truncated(history, 240)).stable == (15_000, 15_100)
    assert found(history).stable is None


def test_stable_waits_for_a_quarter_of_the_run_without_a_change_of_key_frequencies() -> None:
    history = grokking(260)
    history.key_frequencies[:140] = ["3 9 14"] * 140
    assert found(history).stable == (18_500, 18_600)  # three quarters: 13,950; all since are alike
    assert found(truncated(history, 186)).stable is None


def test_stable_is_withdrawn_when_a_key_frequency_is_lost() -> None:
    history = grokking(260)
    history.key_frequencies[200:] = ["14"] * 60
    assert found(truncated(history, 200)).stable == (15_000, 15_100)
    assert found(truncated(history, 201)).stable is None
    assert found(history).stable is None
    longer = grokking(300)
    longer.key_frequencies[200:] = ["14"] * 100
    assert found(longer).stable == (26_500, 26_600)


def test_unknown_key_frequencies_change_nothing() -> None:
    history = grokking(171)
    history.key_frequencies[:] = [None] * 171
    assert found(history) == found(grokking(171))
    history.key_frequencies[160:] = ["9 14"] * 11
    assert found(history) == found(grokking(171))


def test_weights_at_rest_while_the_loss_on_unseen_pairs_still_falls_are_not_stable() -> None:
    history = grokking(171)
    history.unseen_loss[70:] = [10 ** (-i / 20) for i in range(101)]
    assert at_rest(history)
    assert found(history).stable is None
    assert loss_decades(history) == pytest.approx(0.5)


def test_memorization_ends_where_excluded_loss_leaves_its_floor_not_at_its_least() -> None:
    history = grokking()
    history.excluded_loss[2:40] = [1.9e-5, 1.0e-5, *[1.8e-5, 1.2e-5] * 18]  # a flat floor, its least at once
    history.excluded_loss[40:] = [2.5e-5 * 1.2**i for i in range(81)]
    assert found(history, final=True).memorization_end == (3900, 4000)
    assert found(truncated(history, 48)).memorization_end is None  # risen, but not tenfold
    assert found(truncated(history, 56)).memorization_end == (3900, 4000)


def test_the_test_set_of_the_paper_is_told_beside_the_unseen_pairs() -> None:
    history = grokking()
    history.test_loss = [x / 8 for x in history.unseen_loss]  # mirrors
    assert found(history, final=True).cleanup_start == (6500, 6600)
    assert found(history.by_test_pairs(), final=True).cleanup_start == (0, 0)
    band = cleanup_band(history, P)
    assert band == {"2 ln p": 6600, "½ ln p": 6800}


def test_without_unseen_pairs_nothing_is_said_to_generalize() -> None:
    history = grokking()
    history.unseen_loss[:] = history.unseen_accuracy[:] = history.excluded_loss[:] = [math.nan] * 121
    result = events(history, P, 0, final=True)
    assert (result.memorization_end, result.cleanup_start, result.generalized, result.stable) == (None,) * 4
    assert loss_decades(history) is None


def test_a_history_of_a_checkpoint_without_unseen_pairs_reads_its_test_pairs() -> None:
    later = ("unseen_loss", "unseen_accuracy", "key_frequencies")
    state = {name: values for name, values in vars(grokking()).items() if name not in later}
    assert History.restored(state) == replace(grokking().by_test_pairs(), key_frequencies=[None] * 121)
    assert History.restored(vars(grokking())) == grokking()


def spiked(length: int = 121, ends_at: float = 9000.0) -> History:
    """The same run with a spike that deepens to 9 at 1,500 steps and shrinks evenly to nothing at `ends_at`."""
    history = grokking(length)
    shrinking = [9 * (1 - (s - 1500) / (ends_at - 1500)) for s in history.step]
    history.spike = [
        -9 * s / 1500 if s <= 1500 else min(-depth, 0.0) for s, depth in zip(history.step, shrinking, strict=True)
    ]
    return history


def test_by_the_spike_memorization_ends_where_it_is_deepest_and_cleanup_starts_where_half_of_it_is_gone() -> None:
    history = spiked()
    by_losses, told = found(history, final=True), by_spike(history, found(history, final=True), final=True)
    assert told.memorization_end == (1400, 1600)
    assert told.cleanup_start == (5200, 5300)  # 4.5 at 5,250
    assert (told.fitted, told.generalized, told.stable) == (by_losses.fitted, by_losses.generalized, by_losses.stable)


def test_by_the_spike_each_boundary_is_told_only_once_it_can_be_known() -> None:
    known = {}
    for n in range(5, 122):
        history = spiked(n)
        for name, when in by_spike(history, found(history)).items():
            if when is not None:
                known.setdefault(name, history.step[n - 1])
    # a quarter of the depth is gone after 3,375, half of it after 5,250, which is to hold for three measurements
    assert (known["memorization_end"], known["cleanup_start"]) == (3400, 5500)


def test_a_spike_that_only_deepens_ends_no_phase() -> None:
    history = spiked()
    history.spike = [-s / 1000 for s in history.step]
    told = by_spike(history, found(history, final=True), final=True)
    assert (told.memorization_end, told.cleanup_start) == (None, None)


@pytest.mark.parametrize("value", [math.nan, 0.0, 6.0])
def test_without_a_spike_below_zero_there_are_no_phases_by_it(value: float) -> None:
    history = spiked()
    history.spike = [value] * len(history.step)
    told = by_spike(history, found(history, final=True), final=True)
    assert (told.memorization_end, told.cleanup_start) == (None, None)


def test_a_spike_that_comes_back_takes_the_start_of_cleanup_back() -> None:
    history = spiked()
    back = [i for i, s in enumerate(history.step) if 6000 <= s <= 7000]
    history.spike = [-8.0 if i in back else value for i, value in enumerate(history.spike)]
    within, end = truncated(history, back[-1] + 1), by_spike(history, found(history, final=True), final=True)
    assert by_spike(within, found(within)).cleanup_start is None
    assert end.cleanup_start == (7000, 7100)


def test_a_direct_run_has_no_phases_by_the_spike_either() -> None:
    history = spiked()
    direct = Events(fitted=(400, 500), cleanup_start=(100, 200))
    assert by_spike(history, direct) == direct
