"""The thread that shares: it ends when it is told to, and no error of it is lost."""

import threading

import pytest

from lgt_assets.engines import sharing_thread
from lgt_assets.engines.sharing_thread import Regularly
from lgt_assets.errors import LgtError, SettingsError, StorageError
from lgt_assets_tests.dagit import wait_until

LONG = 600.0


def failing(error: Exception) -> Regularly:
    def fail() -> None:
        raise error

    return Regularly(fail, 0.001)


def has_ended(regularly: Regularly) -> bool:
    return not regularly._thread.is_alive()


def test_stopping_while_it_awakes_does_not_wait_for_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    awake, stopping = threading.Event(), threading.Event()

    class Slow(threading.Event):
        """Between awaking and its next step the thread waits for the other to say stop."""

        def clear(self) -> None:
            awake.set()
            stopping.wait(60)
            super().clear()

        def set(self) -> None:
            super().set()
            if awake.is_set():
                stopping.set()

    monkeypatch.setattr(sharing_thread.threading, "Event", Slow)
    regularly = Regularly(lambda: None, LONG)
    monkeypatch.undo()
    regularly.soon()
    assert awake.wait(60)
    stopper = threading.Thread(target=regularly.stop, daemon=True)
    stopper.start()
    stopper.join(20)
    assert not stopper.is_alive()


@pytest.mark.parametrize("error", [StorageError("no answer"), SettingsError("no bucket")])
def test_an_error_of_ours_is_told_and_tried_again(error: LgtError, caplog: pytest.LogCaptureFixture) -> None:
    regularly = failing(error)
    wait_until(lambda: caplog.text.count(str(error)) > 1, 20, "it tries again")
    regularly.soon()
    regularly.stop()


@pytest.mark.parametrize(
    ("error", "raised"), [(OSError(24, "Too many open files"), StorageError), (ZeroDivisionError("a bug"), ZeroDivisionError)]
)  # fmt: skip
def test_any_other_error_is_raised_by_what_is_called_next(error: Exception, raised: type[Exception]) -> None:
    regularly = failing(error)
    wait_until(lambda: has_ended(regularly), 20, "the thread ends")
    for call in (regularly.soon, regularly.stop):
        with pytest.raises(raised, match=error.args[-1]):
            call()
