"""Uses every command of poplib and fetches all letters: PORT user|apop LETTER OUTPUT"""

import poplib
import sys

port, how, letter, output = sys.argv[1:]
with open(letter, "rb") as file:
    octets = file.read()
lines = octets.splitlines()
server = poplib.POP3("127.0.0.1", int(port), timeout=30)
assert "UIDL" in server.capa()
if how == "apop":
    server.apop("alice", "correct horse")
else:
    server.user("alice")
    server.pass_("correct horse")
assert server.stat() == (2, 2 * len(octets))
assert server.list()[1] == [b"%d %d" % (n, len(octets)) for n in (1, 2)]
assert server.list(2).split()[1:] == [b"2", b"%d" % len(octets)]
assert len({line.split()[1] for line in server.uidl()[1]}) == 2
assert server.top(1, 2)[1] == lines[:8]
with open(output, "wb") as file:
    for number in 1, 2:
        _, fetched, size = server.retr(number)
        assert (fetched, size) == (lines, len(octets))
        file.writelines(line + b"\r\n" for line in fetched)
server.noop()
server.dele(1)
assert server.stat() == (1, len(octets))
server.rset()
assert server.stat()[0] == 2
server.quit()
