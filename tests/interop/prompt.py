"""Runs a program on a terminal of its own, sends something when it has asked, and says how it and its terminal ended.

prompt.py SEND COMMAND...: SEND is a name of a signal for the process (SIGTERM), or text to type (in Python's escapes).
Prints the exit status, whether the terminal echoes, and what was shown, one per line.
"""

import os
import pty
import signal
import sys
import termios
import time

# Better than to wait for ever.
signal.alarm(120)
send, command = sys.argv[1], sys.argv[2:]
# The slave stays open here, so that its state can be seen when the program has ended.
terminal, slave = pty.openpty()
pid = os.fork()
if pid == 0:
    os.login_tty(os.dup(slave))
    # What is ignored stays ignored, and a shell ignores SIGINT for what it runs in the background.
    for name in ("SIGHUP", "SIGINT", "SIGTERM"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execv(command[0], command)
shown = b""
while b"assword" not in shown:
    shown += os.read(terminal, 4096)
# The prompt is shown before the echo is turned off.
while termios.tcgetattr(slave)[3] & termios.ECHO:
    time.sleep(0.01)
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
