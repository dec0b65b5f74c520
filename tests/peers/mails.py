"""Whether a mail server delivered the story of tests/it/mailing.rs as it was sent: `mails.py MAILDIR`.

Mails are read as mail programs read them, with Python's own parser.
"""

import email
import email.policy
import struct
import sys
import zlib
from pathlib import Path


def check(what, found, wanted=True):
    if found != wanted:
        sys.exit(f"error: expected {what}: {wanted!r}, found {found!r}")


def pixels(png):
    """Width and height of a picture whose every chunk is sound."""
    check("the signature of a PNG", png[:8], b"\x89PNG\r\n\x1a\n")
    at, data, kinds, size, depth = 8, b"", [], (0, 0), 0
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        (crc,) = struct.unpack(">I", png[at + 8 + length : at + 12 + length])
        check(f"the checksum of {kind}", zlib.crc32(kind + body), crc)
        kinds.append(kind)
        if kind == b"IHDR":
            size, depth, colour = struct.unpack(">II", body[:8]), body[8], body[9]
            channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    check("first and last chunk", (kinds[0], kinds[-1]), (b"IHDR", b"IEND"))
    row = (size[0] * channels * depth + 7) // 8 + 1
    check("the bytes of its rows", len(zlib.decompress(data)), row * size[1])
    return size


def parts(mail):
    """Its text, its HTML and its picture."""
    check("the form", mail.get_content_type(), "multipart/alternative")
    plain, related = mail.iter_parts()
    check("the plain part", plain.get_content_type(), "text/plain")
    check("the other part", related.get_content_type(), "multipart/related")
    html, picture = related.iter_parts()
    check("the HTML", html.get_content_type(), "text/html")
    check("the picture", (picture.get_content_type(), picture.get_content_disposition()), ("image/png", "inline"))
    name = picture["Content-ID"].strip("<>")
    check(f"a place for {name} in the HTML", f"cid:{name}" in html.get_content())
    return plain.get_content(), html.get_content(), picture.get_content()


def main(folder):
    mails = []
    for path in Path(folder, "new").iterdir():
        mails.append(email.message_from_bytes(path.read_bytes(), policy=email.policy.default))
    check("mails", len(mails), 3)
    rank = {"[WARN]": 0, "[PAGE]": 1, "[OVER]": 2}
    mails.sort(key=lambda m: rank[m["Subject"].split()[0]])
    check("a mail of each kind", [m["Subject"].split()[0] for m in mails], list(rank))
    ids = [m["Message-ID"].strip() for m in mails]
    check("ids that differ", len(set(ids)), 3)
    for mail, name in zip(mails, ids):
        defects = [d for part in mail.walk() for d in part.defects]
        headers = [d for part in mail.walk() for header in part.values() for d in getattr(header, "defects", [])]
        check(f"defects of {name}", (defects, headers), ([], []))
        for header in ("From", "To", "Date", "Subject", "Message-ID", "Auto-Submitted", "List-Id"):
            check(f"{header} in {name}", len(mail.get_all(header, [])), 1)
        check("the sender", mail["From"].addresses[0].addr_spec, "gs@example.org")
        check("the reader", mail["To"].addresses[0].addr_spec, "duty@example.org")
        for header in ("In-Reply-To", "References"):
            check(f"{header} of {name}", mail[header] and mail[header].strip(), None if name == ids[0] else ids[0])
        plain, html, picture = parts(mail)
        code = mail["Subject"].split()[-1]
        check("a code at the end of the subject", len(code), 4)
        for word in (code, "United", "101k", "@latimes", "84 %"):
            check(f"{word} in the text", word in plain)
            check(f"{word} in the HTML", word in html)
        check("nothing that is run", "<script" in html.lower(), False)
        width, height = pixels(picture)
        check("a chart of some size", width >= 300 and height >= 100)
    print(f"{len(mails)} mails in one thread, no defects, chart of {width} x {height}")


main(sys.argv[1])
