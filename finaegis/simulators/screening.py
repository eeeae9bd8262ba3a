"""A simulated sanctions screening: names compared with a list, fuzzily, the same way every time.

The list is data: `data/sanctions.json`, synthetic from its first name to its last. A subject matches an entry when

- its account is one of the entry's accounts, spaces and case aside; or
- its name is like the entry's name or one of its aliases: the share of equal letters, words in any order, is at least
  88 of 100. Names of two words or more are also compared by the words they share, so that a middle name more or less
  hides nobody. If subject and entry have different countries, the likeness must be at least 96.

Compared are letters and digits of any script without case, accents and legal forms (Ltd, GmbH, ...). A name of which
nothing is left cannot be looked up, so it counts as a match: whoever screens errs on the side of asking.
"""

from __future__ import annotations

import functools
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter
from rapidfuzz import fuzz

#: Likeness of names, of 100, from which on two are taken for the same.
ALIKE = 88.0
ALIKE_ABROAD = 96.0

UNREADABLE = "name cannot be read"
_FILE = Path(__file__).parent / "data" / "sanctions.json"
#: Letters that no decomposition turns into plain ones.
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"})
# fmt: off
_LEGAL_FORMS = frozenset({
    "ag", "bv", "co", "corp", "fzc", "fze", "gmbh", "inc", "jsc", "kg", "limited",
    "llc", "llp", "ltd", "nv", "ooo", "plc", "pte", "sa", "sarl", "spa", "srl",
})
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A listed person or company. `country` by ISO 3166 alpha-2; `accounts` are addresses known to be theirs."""

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    country: str | None = None
    programme: str
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SanctionsList:
    """A version of the list, with its source and licence as the file states them."""

    version: str
    source: str
    licence: str
    entries: tuple[Entry, ...]


@functools.cache
def published() -> SanctionsList:
    """The list as it is shipped."""
    return TypeAdapter(SanctionsList).validate_json(_FILE.read_bytes())


def matches(*, name: str, account: str, country: str | None, within: SanctionsList) -> tuple[str, ...]:
    """The entries that the subject matches, as "name [id]", in the order of the list; none = clear."""
    words = normalised(name)
    if not words:
        return (UNREADABLE,)
    found = [entry for entry in within.entries if _has_account(entry, account) or _is_alike(entry, words, country)]
    return tuple(f"{entry.name} [{entry.id}]" for entry in found)


def normalised(name: str) -> str:
    """The words of a name that are compared: lower case, without accents, punctuation and legal forms."""
    letters = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    plain = "".join(char for char in letters if not unicodedata.combining(char))
    spaced = "".join(char if char.isalnum() else " " for char in plain.replace("'", "").replace(".", ""))
    words = spaced.split()
    return " ".join([word for word in words if word not in _LEGAL_FORMS] or words)


def likeness(one: str, other: str) -> float:
    """How alike two normalised names are, from 0 to 100."""
    whole = fuzz.token_sort_ratio(one, other)
    if min(len(one.split()), len(other.split())) < 2:
        return whole
    return max(whole, fuzz.token_set_ratio(one, other) if _share_two_words(one, other) else 0.0)


def _share_two_words(one: str, other: str) -> bool:
    return len(set(one.split()) & set(other.split())) >= 2


def _is_alike(entry: Entry, words: str, country: str | None) -> bool:
    abroad = country is not None and entry.country is not None and country.upper() != entry.country
    enough = ALIKE_ABROAD if abroad else ALIKE
    return any(likeness(words, normalised(listed)) >= enough for listed in (entry.name, *entry.aliases))


def _has_account(entry: Entry, account: str) -> bool:
    return _plain(account) in {_plain(listed) for listed in entry.accounts}


def _plain(account: str) -> str:
    return "".join(account.split()).casefold()
