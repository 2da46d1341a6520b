"""TLS for Azure's own clients, which send a token over nothing else: a certificate of this machine's loopback.

The authority that signs it is made for this one signature, and its key is never written: whoever trusts it
trusts the emulator alone.
"""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from mlops_iac.errors import UsageError
from mlops_iac.workfolder import write_durably

HOST = "localhost"
_AUTHORITY, _SERVER = "ca.pem", "tls.pem"
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_VALID = timedelta(days=3650)


def authority(folder: Path) -> Path:
    """The certificate to trust, made once for a folder with the one that it signs, key and all.

    Both are their owner's alone. Raises UsageError where `cryptography` is not installed.
    """
    path = folder / _AUTHORITY
    if not path.exists():
        try:
            signed, server = _made(datetime.now(UTC))
        except ImportError:
            raise UsageError(
                "TLS of the emulated Azure needs cryptography, which is not installed",
                hint="pip install 'mlops-iac[emulate]'",
            ) from None
        write_durably(folder / _SERVER, server)
        write_durably(path, signed)  # the last: where it is, all is
    return path


def context(folder: Path) -> ssl.SSLContext:
    """What the server speaks TLS with. Raises OSError where nothing was made yet."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / _SERVER)
    return made


def _made(now: datetime) -> tuple[bytes, bytes]:
    """The authority's certificate; key and certificate of the server. As PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    names = [x509.DNSName(HOST), x509.IPAddress(IPv4Address("127.0.0.1"))]
    signer, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def begun(name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        called = [x509.NameAttribute(NameOID.COMMON_NAME, each) for each in (name, issuer)]
        subject, by = (x509.Name([each]) for each in called)
        return (
            x509.CertificateBuilder(by, subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + _VALID)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False
            )
        )

    issuer = "mlops-iac: emulated Azure of one project"
    usage = {each: each == "key_cert_sign" for each in _USAGES}
    authority = (
        begun(issuer, signer)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .sign(signer, hashes.SHA256())
    )
    server = (
        begun(HOST, own)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    key = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return authority.public_bytes(Encoding.PEM), key + server.public_bytes(Encoding.PEM)
