"""Composes a letter with attachments and submits it: ADDRESS PORT FILE..."""

import os
import smtplib
import sys
from email.message import EmailMessage

address, port, *files = sys.argv[1:]
letter = EmailMessage()
letter["From"] = "mike@example.com"
letter["To"] = "anna@example.org"
letter["Date"] = "Tue, 09 Mar 2010 17:11:30 +0800"
letter["Subject"] = "Grüße"
letter.set_content("Hallo Anna\nÜbermorgen = morgen\n", cte="quoted-printable")
for path in files:
    with open(path, "rb") as file:
        letter.add_attachment(
            file.read(),
            maintype="application",
            subtype="octet-stream",
            filename=os.path.basename(path),
        )
with smtplib.SMTP(address, int(port), local_hostname="localhost", timeout=30) as server:
    assert server.send_message(letter) == {}
