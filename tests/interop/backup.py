#!/usr/bin/env python3
"""Opens a backup by what its documentation says, and with nothing of kpki: RFC 8018, RFC 7914, RFC 5084, tar.

backup.py FILE PASSPHRASE TREE       compares what is in it with the tree
backup.py FILE PASSPHRASE --seal N   writes the same content to standard output, encrypted with another cost
"""

import hashlib
import io
import json
import os
import stat
import sys
import tarfile

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt


def element(data):
    """Tag, content, what follows."""
    length, start = data[1], 2
    if length & 0x80:
        start = 2 + (length & 0x7F)
        length = int.from_bytes(data[2:start], "big")
    return data[0], data[start : start + length], data[start + length :]


def elements(data):
    while data:
        tag, content, data = element(data)
        yield tag, content


def encode(tag, content):
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def number(value):
    return encode(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


PBES2 = bytes.fromhex("2a864886f70d01050d")
SCRYPT = bytes.fromhex("2b06010401da47040b")
AES_256_GCM = bytes.fromhex("60864801650304012e")


def key(passphrase, salt, n, r, p):
    return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(passphrase.encode())


def unseal(data, passphrase):
    tag, content, rest = element(data)
    assert (tag, rest) == (0x30, b"")
    (_, version), (_, algorithm), (string, sealed) = elements(content)
    assert (version, string) == (b"\x01", 4)
    (_, pbes2), (_, parameters) = elements(algorithm)
    (_, derivation), (_, encryption) = elements(parameters)
    (_, scrypt), (_, costs) = elements(derivation)
    (_, gcm), (_, how) = elements(encryption)
    assert (pbes2, scrypt, gcm) == (PBES2, SCRYPT, AES_256_GCM)
    (_, salt), *integers = elements(costs)
    n, r, p, length = (int.from_bytes(value, "big") for _, value in integers)
    (_, nonce), (_, tag_length) = elements(how)
    assert (n, r, p, length, len(salt), len(nonce), tag_length) == (131072, 8, 1, 32, 16, 12, b"\x10")
    return AESGCM(key(passphrase, salt, n, r, p)).decrypt(nonce, sealed, None)


def seal(plain, passphrase, n):
    salt, nonce = os.urandom(16), os.urandom(12)
    costs = encode(4, salt) + number(n) + number(8) + number(1)
    derivation = encode(0x30, encode(6, SCRYPT) + encode(0x30, costs))
    encryption = encode(0x30, encode(6, AES_256_GCM) + encode(0x30, encode(4, nonce) + number(16)))
    algorithm = encode(0x30, encode(6, PBES2) + encode(0x30, derivation + encryption))
    sealed = AESGCM(key(passphrase, salt, n, 8, 1)).encrypt(nonce, plain, None)
    return encode(0x30, number(1) + algorithm + encode(4, sealed))


def compare(plain, tree):
    archive = tarfile.open(fileobj=io.BytesIO(plain))
    members = archive.getmembers()
    assert members[0].name == "kpki-backup.json", members[0].name
    manifest = json.load(archive.extractfile(members[0]))
    listed = {f"{one['root']}/{one['path']}": one for one in manifest["files"]}
    found = {}
    for member in members[1:]:
        path = os.path.join(tree, os.path.relpath(member.name, "main"))
        facts = os.lstat(path)
        assert stat.S_IMODE(facts.st_mode) == member.mode and facts.st_uid == member.uid, member.name
        if member.isdir():
            continue
        content = archive.extractfile(member).read()
        one = listed.pop(member.name)
        assert hashlib.sha256(content).hexdigest() == one["sha256"] and len(content) == one["size"], member.name
        assert int(one["mode"], 8) == member.mode, member.name
        assert content == open(path, "rb").read(), member.name
        found[path] = True
    there = {os.path.join(dir, name) for dir, _, names in os.walk(tree) for name in names}
    assert not listed and there - set(found) == {os.path.join(tree, ".kpki/lock")}, (listed, there - set(found))
    print(len(found))


plain = unseal(open(sys.argv[1], "rb").read(), sys.argv[2])
if sys.argv[3] == "--seal":
    sys.stdout.buffer.write(seal(plain, sys.argv[2], int(sys.argv[4])))
else:
    compare(plain, sys.argv[3])
