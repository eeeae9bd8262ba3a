"""Keys at work: encryption of sensitive fields, keyed hashes of histories and inputs. Keys come from settings only."""

from __future__ import annotations

import base64
import hashlib
import hmac
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.core.exceptions import ImproperlyConfigured

from workflows import conf
from workflows.core.errors import PayloadError


@lru_cache(maxsize=8)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("WORKFLOWS['ENCRYPTION_KEYS'] is empty: sensitive fields cannot be stored")
    derived = [base64.urlsafe_b64encode(hashlib.sha256(b"field:" + key.encode()).digest()) for key in keys]
    return MultiFernet([Fernet(key) for key in derived])


class SettingsCipher:
    """Encrypts with the newest key, decrypts with any."""

    def encrypt(self, text: str) -> str:
        return _fernet(conf.engine().encryption_keys).encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> str:
        try:
            return _fernet(conf.engine().encryption_keys).decrypt(token.encode()).decode()
        except (InvalidToken, AttributeError):
            raise PayloadError("a sensitive value cannot be decrypted with the configured keys") from None


@lru_cache(maxsize=4)
def _mac(purpose: bytes, key: str) -> hmac.HMAC:
    if not key:
        raise ImproperlyConfigured("WORKFLOWS['HISTORY_KEY'] is empty: histories cannot be protected")
    return hmac.new(hashlib.sha256(purpose + key.encode()).digest(), digestmod=hashlib.sha256)


@lru_cache(maxsize=4)
def _chain_key(key: str) -> bytes:
    if not key:
        raise ImproperlyConfigured("WORKFLOWS['HISTORY_KEY'] is empty: histories cannot be protected")
    return hashlib.sha256(b"history:" + key.encode()).digest()


def input_digest(text: str) -> str:
    """Keyed digest of a canonical input, hex: equal inputs are told without keeping them in clear."""
    mac = _mac(b"input:", conf.engine().history_key).copy()
    mac.update(text.encode())
    return mac.hexdigest()


def chain_key() -> bytes:
    """The key of this installation's histories."""
    return _chain_key(conf.engine().history_key)


def chain_hash(previous: bytes, header: str, payload: str, *, key: bytes | None = None) -> bytes:
    """The keyed hash (BLAKE2b, RFC 7693) of one event over the one before it, its header and its payload's digest."""
    key = key or chain_key()
    covered = previous + header.encode() + hashlib.sha256(payload.encode()).digest()
    return hashlib.blake2b(covered, key=key, digest_size=32).digest()


def seal_mac(line: str) -> str:
    """Keyed hash of a line in the seal file, hex."""
    mac = _mac(b"seal:", conf.engine().history_key).copy()
    mac.update(line.encode())
    return mac.hexdigest()


def token_hash(token: str) -> str:
    """Keyed hash of a completion token, hex: the token itself is kept nowhere."""
    mac = _mac(b"token:", conf.engine().history_key).copy()
    mac.update(token.encode("utf-8", "replace"))
    return mac.hexdigest()
