"""Runs a program on a terminal of its own, sends something when it has asked, and says how it and its terminal ended.

prompt.py SEND COMMAND...: SEND is a name of a signal for the process (SIGTERM), or text to type (in Python's escapes).
Prints the exit status, whether the terminal echoes, and what was shown, one per line.
"""

import os
import pty
import signal
import sys
import termios

send, command = sys.argv[1], sys.argv[2:]
pid, terminal = pty.fork()
if pid == 0:
    # The terminal outlives the program, so that its state can be seen.
    os.execv(command[0], command)
slave = os.open(os.ptsname(terminal), os.O_RDWR | os.O_NOCTTY)
shown = b""
while True:
    shown += os.read(terminal, 4096)
    if b"assword" in shown and not termios.tcgetattr(slave)[3] & termios.ECHO:
        break
if send.startswith("SIG"):
    os.kill(pid, getattr(signal, send))
else:
    os.write(terminal, send.encode().decode("unicode_escape").encode())
_, status = os.waitpid(pid, 0)
os.set_blocking(terminal, False)
try:
    shown += os.read(terminal, 65536)
except BlockingIOError:
    pass
print(os.waitstatus_to_exitcode(status))
print(bool(termios.tcgetattr(slave)[3] & termios.ECHO))
print(shown)
