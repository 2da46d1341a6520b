"""Secrets in the local state, encrypted with a key file beside it.

AES-256-GCM; the form is Pulumi's (`ciphertext` beside the secret's signature). The key protects a
state that is copied or committed by accident, not one whose whole folder is taken.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_iac.emulators.wire import SECRET, SIGNATURE
from mlops_iac.errors import MlopsError
from mlops_iac.workfolder import write_durably


class SecretBox:
    """Seals and opens JSON values. The key is made when the first secret is sealed."""

    def __init__(self, key_file: Path) -> None:
        self._file = key_file
        self._cipher: Any = None
        self._lock = threading.Lock()

    def _load(self, *, make: bool) -> Any:
        if self._cipher is not None:
            return self._cipher
        try:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError as error:
            raise MlopsError(
                "the state holds secrets, and the package `cryptography` is missing",
                hint="pip install 'mlops-iac[emulate]'",
            ) from error
        try:
            key = base64.b64decode(self._file.read_text(), validate=True)
        except FileNotFoundError:
            if not make:
                raise MlopsError(
                    f"the key of the state's secrets is missing: {self._file}",
                    hint="restore it, or delete the local state together with the emulator's data",
                ) from None
            key = os.urandom(32)
            write_durably(self._file, base64.b64encode(key))
        except ValueError as error:
            raise MlopsError(f"the key file {self._file} is damaged") from error
        if len(key) != 32:
            raise MlopsError(f"the key file {self._file} is damaged")
        self._cipher = AESGCM(key)
        return self._cipher

    def seal(self, plain: Any) -> dict[str, Any]:
        """The stored form of a secret's JSON value."""
        nonce = os.urandom(12)
        with self._lock:
            cipher = self._load(make=True)
        sealed = cipher.encrypt(nonce, json.dumps(plain).encode(), None)
        text = ":".join(["v1", *(base64.b64encode(part).decode() for part in (nonce, sealed))])
        return {SIGNATURE: SECRET, "ciphertext": text}

    def unseal(self, stored: Mapping[str, Any]) -> Any:
        """The JSON value. Raises MlopsError if the key does not fit."""
        cipher = self._load(make=False)
        try:
            _, nonce, sealed = stored["ciphertext"].split(":")
            plain = cipher.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None)
        except Exception as error:
            raise MlopsError(
                f"a secret of the state cannot be decrypted with {self._file}",
                hint="the key file belongs to another state",
            ) from error
        return json.loads(plain)
