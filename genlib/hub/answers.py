"""What the Hub answers when it refuses, in one line that says what to do."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from genlib.errors import GenlibError, in_brief

LOG_IN = "log in with `hf auth login` or set HF_TOKEN"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
NAMES = 'a repository is named "owner/name": letters, digits, "-", "_" and ".", 96 at most'


@contextmanager
def reaching(repository: str, revision: str | None = None) -> Iterator[None]:
    """Turns whatever goes wrong between here and a repository that is read into one line."""
    answers = {
        401: f"there is none that you may read (and no directory {repository} here); if it is private, {LOG_IN}",
        403: f"you may not read it; ask for access on its page and {LOG_IN}",
        404: f"there is none (and no directory {repository} here)",
    }
    with in_one_line(f"{repository} on the Hub", answers, f"it has no revision {revision!r}"):
        yield


@contextmanager
def writing(repository: str, own: Mapping[int, str] | None = None) -> Iterator[None]:
    """Turns whatever goes wrong between here and a repository that is written into one line.

    `own` says by the status of HTTP what to do in this case, where that is not the usual.
    """
    answers = {
        401: f"the Hub does not know your token; {LOG_IN}",
        402: "its owner's plan does not include it; huggingface.co/pricing has the plans",
        403: "your token may not write there: it needs the right to write, to a namespace that you belong to",
        404: "there is no such owner, or your token may not write there",
        409: "the name is taken; take another",
    }
    with in_one_line(f"{repository} on the Hub", answers | dict(own or {})):
        yield


@contextmanager
def in_one_line(what: str, answers: dict[int, str], no_revision: str = "it has no branch main") -> Iterator[None]:
    """Turns whatever goes wrong with the Hub into one line on `what`; `answers` says what a status of HTTP means."""
    try:
        yield
    except GenlibError:  # has its line
        raise
    except Exception as error:  # of the Hub, of a proxy, of the network: many kinds that share no ancestor
        raise GenlibError(f"{what}: {_reason(error, answers, no_revision)}") from error


def _refused_here(error: BaseException | None) -> str:
    """What the file system says where it is that which refuses, whatever has wrapped that; empty where it is not.

    A full disk is known by its number, other errors of files by the file's name: a connection has none.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno and (error.errno in _FULL or error.filename):
            return os.strerror(error.errno)
        error = error.__cause__ or error.__context__
    return ""


def _reason(error: Exception, answers: dict[int, str], no_revision: str) -> str:
    from huggingface_hub.constants import is_offline_mode
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, HFValidationError, RevisionNotFoundError

    if refused := _refused_here(error):
        return f"this machine's disk refuses: {refused}"
    first = in_brief((str(error).strip().splitlines() or [type(error).__name__])[0])
    if isinstance(error, RevisionNotFoundError):
        return no_revision
    if isinstance(error, GatedRepoError):
        return answers[403]
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        return answers.get(status, f"the Hub answers {status}: {in_brief(error.server_message or '') or first}")
    if isinstance(error, HFValidationError):
        return NAMES
    if is_offline_mode():
        return "HF_HUB_OFFLINE is set, and this machine's cache does not hold it"
    return f"the Hub could not be reached, or not be understood ({first})"
