"""Submits a letter with smtplib: PORT MECHANISM LETTER"""

import smtplib
import sys

port, mechanism, letter = sys.argv[1:]
with smtplib.SMTP("127.0.0.1", int(port), local_hostname="localhost", timeout=30) as server:
    server.ehlo()
    server.user, server.password = "alice", "correct horse"
    how = getattr(server, "auth_" + mechanism.lower().replace("-", "_"))
    server.auth(mechanism, how)
    with open(letter, "rb") as file:
        refused = server.sendmail("mike@example.com", ["anna@example.org"], file.read())
    assert refused == {}, refused
