"""Keys, certificates and tokens as an operator has them, made by openssl: an issuer of tokens, an authority of
certificates, and files of secrets."""

import base64
import datetime
import json
import secrets
import subprocess
import time
import uuid

# How long tokens of the rehearsal are valid, in seconds: less than auth.max_token_life.
LIFE = 840
# Whoever holds one of these signs in with a second factor.
ADMINISTRATORS = {"system-admin", "security-admin", "audit-admin"}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, data=None):
    command = ["openssl", *(str(part) for part in arguments)]
    return subprocess.run(command, input=data, check=True, capture_output=True, timeout=60).stdout


def secret_file(path):
    """A file with 32 bytes in hexadecimal that nobody else knows."""
    path.write_text(secrets.token_hex(32), encoding="utf-8")
    path.chmod(0o600)
    return path


class Key:
    """An Ed25519 key in a file."""

    def __init__(self, file):
        self.file = file
        openssl("genpkey", "-algorithm", "ed25519", "-out", file)
        file.chmod(0o600)
        self.public = openssl("pkey", "-in", file, "-pubout", "-outform", "DER")[-32:]
        self.id = self.public.hex()[:16]

    def sign(self, data):
        work = self.file.with_suffix(".to-sign")
        work.write_bytes(data)
        try:
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", self.file, "-in", work)
        finally:
            work.unlink()


def new_secret(file):
    """Puts another secret in the place of one."""
    secret_file(file.with_suffix(".new")).rename(file)


def public_of_secret(file):
    """The public half, in base64, of a secret of 32 bytes in hexadecimal."""
    # PKCS #8 of Ed25519 is this beginning and the secret.
    der = bytes.fromhex("302e020100300506032b657004220420") + bytes.fromhex(file.read_text(encoding="utf-8").strip())
    return base64.b64encode(openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER", data=der)[-32:]).decode()


class Issuer:
    """Signs tokens, and publishes the keys that count."""

    def __init__(self, folder):
        self.folder = folder
        self.key_set = folder / "jwks.json"
        self.keys = []
        self.add_key()

    def add_key(self):
        """A new key, which signs from now on; those before count until they are dropped."""
        key = Key(self.folder / f"issuer-{len(self.keys)}-{secrets.token_hex(2)}.pem")
        self.keys.append(key)
        self.publish()
        return key

    def drop_key(self):
        """Takes the oldest key away."""
        dropped = self.keys.pop(0)
        self.publish()
        return dropped

    def publish(self):
        keys = [
            {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.id, "x": base64url(key.public)}
            for key in self.keys
        ]
        fresh = self.key_set.with_suffix(".new")
        fresh.write_text(json.dumps({"keys": keys}), encoding="utf-8")
        fresh.rename(self.key_set)

    def token(self, role, scope="fz", subject=None, **claims):
        """A token for somebody with a role at a place."""
        now = int(time.time())
        said = {
            "iss": "campus",
            "aud": "campus",
            "sub": subject or f"{role}@{scope}",
            "roles": [role],
            "scope": scope,
            "iat": now,
            "exp": now + LIFE,
            "jti": str(uuid.uuid4()),
            **({"amr": ["otp"]} if role in ADMINISTRATORS else {}),
            **claims,
        }
        key = self.keys[-1]
        head = {"alg": "EdDSA", "typ": "JWT", "kid": key.id}
        text = ".".join(base64url(json.dumps(part).encode()) for part in (head, said))
        return f"{text}.{base64url(key.sign(text.encode()))}"


class Authority:
    """An authority of certificates for this machine."""

    def __init__(self, folder, name="authority"):
        self.folder = folder
        self.certificate = folder / f"{name}.crt"
        self.key = folder / f"{name}.key"
        # What it has issued.
        self.book = folder / f"{name}.issued"
        self.book.mkdir()
        (self.book / "index").touch()
        (self.book / "rules").write_text(
            f"[ca]\ndefault_ca = this\n[this]\nnew_certs_dir = {self.book}\ndatabase = {self.book}/index\n"
            "rand_serial = yes\nunique_subject = no\ndefault_md = sha256\npolicy = names\n[names]\ncommonName = supplied\n",
            encoding="utf-8")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                "-keyout", self.key, "-out", self.certificate)

    def issue(self, name, certificate, key, server=True, places="IP:127.0.0.1,DNS:localhost", hours=24):
        """A certificate for a server at these places, or for a client with this name, put where it is read."""
        request = self.folder / f"{name}.csr"
        rules = self.folder / f"{name}.rules"
        fresh = self.folder / f"{name}.key.new"
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-keyout", fresh, "-out", request)
        shown = f"subjectAltName={places}\n" if server else ""
        usage = "serverAuth" if server else "clientAuth"
        rules.write_text(f"{shown}extendedKeyUsage={usage}\nbasicConstraints=critical,CA:FALSE\n", encoding="utf-8")
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours)
        issued = openssl("ca", "-batch", "-notext", "-config", self.book / "rules", "-in", request, "-extfile", rules,
                         "-cert", self.certificate, "-keyfile", self.key, "-enddate", f"{end:%Y%m%d%H%M%SZ}")
        # The key comes first: what does not fit together yet leaves the old pair in use.
        fresh.rename(key)
        certificate.write_bytes(issued)
        return certificate, key


def bundle(file, *authorities):
    """A file of authorities that are trusted: whoever reads it finds the old ones or the new ones, never half of them."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(b"".join(one.certificate.read_bytes() for one in authorities))
    fresh.rename(file)
    return file


def fingerprint(certificate):
    """How a certificate is told from others: the SHA-256 of it, in hexadecimal."""
    said = openssl("x509", "-in", certificate, "-noout", "-fingerprint", "-sha256").decode()
    return said.strip().rpartition("=")[2].replace(":", "").lower()


def verifies(public, data, signature, folder):
    """Whether an Ed25519 signature is of this data, by a public key of 32 bytes."""
    key, signed, given = folder / "key.der", folder / "signed", folder / "signature"
    key.write_bytes(bytes.fromhex("302a300506032b6570032100") + public)
    signed.write_bytes(data)
    given.write_bytes(signature)
    command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", key]
    command += ["-in", signed, "-sigfile", given]
    done = subprocess.run([str(part) for part in command], check=False, capture_output=True, timeout=60)
    return done.returncode == 0
