"""A covariance comes back from its bytes as it went in, to seven digits."""

from __future__ import annotations

import numpy as np
import pytest

from ratings.covariance import covariance_pack, covariance_unpack


@pytest.mark.parametrize("models", [0, 1, 2, 7])
def test_a_covariance_survives_packing(models: int) -> None:
    root = np.random.default_rng(1).normal(size=(models, models)) * 30
    ids = np.arange(models) * 3 + 5
    covariance = root @ root.T

    packed = covariance_pack(ids, covariance)
    again_ids, again = covariance_unpack(packed)

    assert again_ids.tolist() == ids.tolist()
    np.testing.assert_allclose(again, covariance, rtol=1e-6)
    assert len(packed) == 4 * (1 + models + models * (models + 1) // 2)


def test_numbers_that_do_not_exist_stay_so() -> None:
    covariance = np.array([[4.0, np.nan], [np.nan, np.nan]])

    _, again = covariance_unpack(covariance_pack(np.array([1, 2]), covariance))

    np.testing.assert_array_equal(again, covariance)
