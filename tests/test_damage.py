import numpy as np
import pytest
from tiny_faces import crops

from nbhelpers import damage


def test_share_and_probabilities_are_those_that_were_asked_for():
    recipe = damage.Damage(0.6, {"jpeg": 0.5, "noise": 0.0})
    rng = np.random.default_rng(0)
    plans = [recipe.draw(rng) for _ in range(4000)]
    assert {kind for plan in plans for kind in plan} == {"jpeg"}
    # 0.3 of 4000, standard deviation 29: six of them
    assert abs(sum(bool(plan) for plan in plans) - 1200) < 175


def test_amounts_stay_in_their_ranges_and_reach_both_halves():
    recipe = damage.Damage(1.0, dict.fromkeys(damage.RANGES, 1.0))
    rng = np.random.default_rng(1)
    plans = [recipe.draw(rng) for _ in range(200)]
    for kind, (low, high) in damage.RANGES.items():
        amounts = np.array([plan[kind] for plan in plans])
        assert low <= amounts.min() < (low + high) / 2 < amounts.max() <= high


def test_another_probability_leaves_the_other_draws_as_they_were():
    often, never = (damage.Damage(1.0, {"blur": 1.0, "jpeg": chance}) for chance in (1.0, 0.0))
    for seed in range(20):
        with_jpeg, without = (one.draw(np.random.default_rng(seed)) for one in (often, never))
        assert with_jpeg["blur"] == without["blur"]
        assert "jpeg" in with_jpeg and "jpeg" not in without


def test_no_share_means_no_damage():
    rng = np.random.default_rng(2)
    assert not any(damage.Damage(0.0).draw(rng) for _ in range(50))


@pytest.mark.parametrize("wrong", [{"smudge": 0.5}, {"jpeg": 1.5}])
def test_what_cannot_be_drawn_is_refused(wrong):
    with pytest.raises(ValueError, match="Expected kinds of"):
        damage.Damage(0.5, wrong)


@pytest.mark.parametrize("kind", damage.RANGES)
def test_each_kind_hurts_more_at_its_hurtful_end(kind):
    picture = crops(1)[0]
    low, high = damage.RANGES[kind]
    mild, harsh = (high, low) if kind in ("shrink", "jpeg") else (low, high)
    if kind in ("brightness", "contrast", "tint"):
        mild = (low + high) / 2
    distance = [
        np.abs(damage.damaged(picture, {kind: amount}, seed=3).astype(int) - picture).mean()
        for amount in (mild, harsh)
    ]
    assert distance[0] < distance[1] and distance[1] > 1


def test_damage_is_the_same_for_the_same_seed_and_another_for_another():
    picture, plan = crops(1)[0], {"noise": 8.0}
    first, again, other = (damage.damaged(picture, plan, seed=seed) for seed in (4, 4, 5))
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_an_empty_plan_and_an_unknown_kind():
    picture = crops(1)[0]
    assert damage.damaged(picture, {}, seed=0) is picture
    with pytest.raises(ValueError, match="received 'smudge'"):
        damage.damaged(picture, {"smudge": 1.0}, seed=0)
