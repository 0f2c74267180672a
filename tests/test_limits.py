"""What a host allows: read from environment variables, wrong values named."""

from __future__ import annotations

import threading

import pytest

from genlib.jobs.limits import Limits
from tests.tiny import refused


def test_without_variables_training_is_on_and_the_queue_bounded() -> None:
    assert Limits.from_environment({}) == Limits()
    assert Limits().opens("")
    assert Limits().queue == 20


def test_every_variable_is_read() -> None:
    variables = {
        "GENLIB_TRAINING": " Password ",
        "GENLIB_TRAINING_PASSWORD": "trousers",
        "GENLIB_TRAINING_SHARED": "on",
        "GENLIB_TRAINING_QUEUE": "3",
        "GENLIB_TRAINING_AT_ONCE": "2",
        "GENLIB_TRAINING_RUNS": "4",
        "GENLIB_TRAINING_EPOCHS": "5",
        "GENLIB_TRAINING_MINUTES": "6",
        "GENLIB_TRAINING_DISK_MB": "700",
    }
    expected = Limits("password", "trousers", 3, 2, 4, 5, 6, 700, shared=True)
    assert Limits.from_environment(variables) == expected
    assert Limits.from_environment(dict.fromkeys(variables, "")) == Limits()


def test_no_more_train_at_once_than_can_be_counted() -> None:
    with refused("GENLIB_TRAINING_AT_ONCE takes a whole number from 1 to 1000, not '20000000'"):
        Limits.from_environment({"GENLIB_TRAINING_AT_ONCE": "20000000"})


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "1e3", "9" * 10, "9" * 5000, "²", "٣"])
@pytest.mark.parametrize("key", ["QUEUE", "AT_ONCE", "RUNS", "EPOCHS", "MINUTES", "DISK_MB"])
def test_a_number_that_cannot_be_is_named(key: str, value: str) -> None:
    with refused(f"GENLIB_TRAINING_{key} takes a whole number from 1 to (999999999|1000), not '.{{1,40}}'$"):
        Limits.from_environment({f"GENLIB_TRAINING_{key}": value})


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"GENLIB_TRAINING": "maybe"}, "GENLIB_TRAINING takes on, off or password, not 'maybe'"),
        ({"GENLIB_TRAINING": "password"}, "GENLIB_TRAINING=password needs GENLIB_TRAINING_PASSWORD"),
        ({"GENLIB_TRAINING_SHARED": "yes"}, "GENLIB_TRAINING_SHARED takes on or off, not 'yes'"),
    ],
)
def test_a_word_that_cannot_be_is_named(variables: dict[str, str], message: str) -> None:
    with refused(message):
        Limits.from_environment(variables)


def test_off_opens_to_no_one() -> None:
    assert not Limits.from_environment({"GENLIB_TRAINING": "off"}).opens("")


def test_a_password_opens_to_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("genlib.jobs.limits.time.sleep", waits.append)
    limits = Limits(training="password", password="Größe 9")
    assert limits.opens("Größe 9")
    assert not any(limits.opens(wrong) for wrong in ("", "Größe", "größe 9", "Größe 9 "))
    assert Limits(training="password", password="\udcff").opens("\udcff")  # a variable that is no UTF-8
    assert waits == [1.0] * 3  # a wrong try is answered late; none has been made where the field is empty


def test_a_wrong_password_holds_up_no_right_one(monkeypatch: pytest.MonkeyPatch) -> None:
    waits, answered = threading.Event(), threading.Event()

    def slow(seconds: float) -> None:
        waits.set()
        assert answered.wait(60)

    monkeypatch.setattr("genlib.jobs.limits.time.sleep", slow)
    limits = Limits(training="password", password="right")
    wrong = threading.Thread(target=limits.opens, args=("wrong",))
    wrong.start()
    assert waits.wait(60)
    right = threading.Thread(target=lambda: limits.opens("right") and answered.set())
    right.start()
    assert answered.wait(5)  # in no time, where the wrong one's second is not waited for
    wrong.join()
