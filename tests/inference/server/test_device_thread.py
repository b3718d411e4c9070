"""Computations on a CPU take turns in one thread; what they raise reaches whoever asked."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from inference.server.device_thread import DeviceThread


@pytest.fixture
def device_thread():
    thread = DeviceThread(torch.device("cpu"))
    yield thread
    thread.close()


def test_one_at_a_time_in_one_thread(device_thread):
    at_once, most, threads = 0, 0, set()

    def work(number):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        threads.add(threading.get_ident())
        torch.randn(64, 64) @ torch.randn(64, 64)
        at_once -= 1
        return number

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: device_thread.run(work, number), range(200)))

    assert results == list(range(200))
    assert most == 1
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_what_goes_wrong_is_raised_at_the_caller_and_the_thread_goes_on(device_thread):
    with pytest.raises(ZeroDivisionError):
        device_thread.run(lambda: 1 / 0)

    assert device_thread.run(lambda: 1) == 1


def test_after_its_end_it_says_so_instead_of_waiting_for_ever():
    thread = DeviceThread(torch.device("cpu"))
    thread.close()
    thread.close()

    with pytest.raises(RuntimeError, match="has ended"):
        thread.run(int)


def test_nothing_is_recorded_for_gradients(device_thread):
    weight = torch.ones(2, requires_grad=True)

    assert not device_thread.run(lambda: weight * 2).requires_grad


def test_other_devices_queue_by_themselves():
    assert DeviceThread(torch.device("meta")).run(threading.get_ident) == threading.get_ident()
