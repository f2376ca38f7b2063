"""Certificates, made: an authority that can sign local names only, and what it signs.

The root signs one intermediate and its key is forgotten; only the intermediate's is kept. Both
are constrained to local names, since some verifiers look at the constraints of one and some
at those of the other: whoever steals the key can sign nothing that is on the internet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY = timedelta(days=3650)
LEAF = timedelta(days=397)
"""Days that verifiers accept of one; they get fewer from year to year."""

BACKDATED = timedelta(hours=1)
"""A clock that was put back is no reason to distrust."""

LOOPBACK = ("127.0.0.0/8", "::1/128")
LONGEST_NAME = 64
"""Characters of a common name (RFC 5280)."""

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """What signs, and what it is trusted by."""

    root: x509.Certificate
    issuer: x509.Certificate
    """The intermediate; the root itself where there is none."""

    key: Key
    """The issuer's."""

    @property
    def chain(self) -> bytes:
        """What a server sends after its own certificate, as PEM."""
        return b"" if self.issuer == self.root else self.issuer.public_bytes(Encoding.PEM)


def make_authority(owner: str, tlds: Sequence[str], now: datetime) -> Authority:
    """Return a new authority for everything in `tlds`, and on loopback."""
    constraints = x509.NameConstraints(
        permitted_subtrees=[
            *(x509.DNSName(tld) for tld in tlds),
            *(x509.IPAddress(ip_network(block)) for block in LOOPBACK),
        ],
        excluded_subtrees=None,
    )
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root_name, name = _named(f"taskmux root ({owner})"), _named(f"taskmux ({owner})")
    root = _authority(root_name, root_key.public_key(), root_name, now, 1, constraints)
    root_signed = root.sign(root_key, SHA256())
    issuer = _authority(name, key.public_key(), root_name, now, 0, constraints)
    issuer = issuer.add_extension(_issued_by(root_signed), critical=False)
    return Authority(root_signed, issuer.sign(root_key, SHA256()), key)


def make_leaf(authority: Authority, names: Sequence[str], now: datetime) -> tuple[bytes, bytes]:
    """Return a certificate for hosts or addresses, with its chain, and its key; both as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    end = min(now + LEAF, authority.issuer.not_valid_after_utc)
    subject = _named(names[0]) if len(names[0]) <= LONGEST_NAME else x509.Name([])
    found = (
        _builder(subject, key.public_key(), authority.issuer.subject, now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([_general(name) for name in names]),
            critical=not list(subject),
        )
        .add_extension(_issued_by(authority.issuer), critical=False)
        .sign(authority.key, SHA256())
    )
    return found.public_bytes(Encoding.PEM) + authority.chain, key_pem(key)


def key_pem(key: Key) -> bytes:
    """Return a key as it is kept."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def due(certificate: x509.Certificate, now: datetime) -> bool:
    """Return whether a certificate is to be replaced: in the last third of its time, or outside."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return not begin <= now < end - (end - begin) / 3


def _authority(
    name: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    now: datetime,
    depth: int,
    constraints: x509.NameConstraints,
) -> x509.CertificateBuilder:
    return (
        _builder(name, key, issuer, now, now + AUTHORITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=depth), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(constraints, critical=True)
    )


def _builder(
    name: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    now: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    found = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(found)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:LONGEST_NAME])])


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=key_cert_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
