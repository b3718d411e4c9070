"""The covariance of a snapshot's ratings as bytes: half of the matrix, in four bytes a number.

Seven digits are far more than a covariance is known to. Knows nothing of how it is used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ratings.core.outcomes import FloatArray, IntArray

_LENGTH = np.dtype("<u4")
_ID = np.dtype("<u4")
_NUMBER = np.dtype("<f4")


def covariance_pack(ids: IntArray, covariance: FloatArray) -> bytes:
    """Pack the symmetric `covariance` of shape (n, n), NaN where there is none, of models `ids`."""
    upper = covariance[np.triu_indices(len(ids))]
    return b"".join(
        (
            np.array([len(ids)], dtype=_LENGTH).tobytes(),
            ids.astype(_ID).tobytes(),
            upper.astype(_NUMBER).tobytes(),
        )
    )


def covariance_unpack(packed: bytes | memoryview) -> tuple[IntArray, FloatArray]:
    """Model ids of shape (n,) and the covariance of shape (n, n), as they were packed."""
    models = int(np.frombuffer(packed, dtype=_LENGTH, count=1)[0])
    ids: NDArray[np.int64] = np.frombuffer(
        packed, dtype=_ID, count=models, offset=_LENGTH.itemsize
    ).astype(np.int64)
    upper = np.frombuffer(packed, dtype=_NUMBER, offset=_LENGTH.itemsize + ids.size * _ID.itemsize)
    covariance = np.empty((models, models))
    covariance[np.triu_indices(models)] = upper
    covariance.T[np.triu_indices(models)] = upper
    return ids, covariance
